"""Both stages of the paper in one: for small models, which can afford to learn the person and the lips together."""

from __future__ import annotations

from typing import ClassVar

from hallo_lit.stages.motion import MotionStage


class TalkingStage(MotionStage):
    """Everything but the codec learns from short clips with their sound.

    A model that starts from the portrait (`process=reference_preconditioned`, `reference_input`) has little to learn
    from still pairs, so stage 1 on its own would delay the lips.
    """

    name: ClassVar[str] = "talking"
    follows: ClassVar[tuple[str, ...]] = ("codec", "appearance", "talking", "decoder", "expression", "head")
