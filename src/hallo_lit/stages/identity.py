"""Personal fine-tuning (paper, figure 10): some minutes of one person make a model of that person's expressions."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from hallo_lit.components.hallo import Hallo
from hallo_lit.stages.base import DiffusionStage
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.lora import Lora, inject, merged
from hallo_lit.stages.motion import MotionStage
from hallo_lit.stages.objective import Objective, Process


class IdentityStage(MotionStage):
    """`lora=None` trains the parameters that `learning.trains` names; a `Lora` trains small factors beside them."""

    name: ClassVar[str] = "identity"
    follows: ClassVar[tuple[str, ...]] = ("motion", "talking", "decoder", "identity", "expression", "head")

    def __init__(
        self,
        network: Hallo,
        process: Process,
        learning: Learning,
        objective: Objective = Objective(),  # noqa: B008  (frozen)
        seed: int = 0,
        encode_chunk: int = 16,
        lora: Lora | None = None,
    ) -> None:
        DiffusionStage.__init__(self, network, process, learning, objective, seed, encode_chunk)
        self.lora = lora

    def adapt(self) -> None:
        if self.lora is not None:
            inject(self.network, self.lora)

    def product(self) -> nn.Module:
        return self.network if self.lora is None else merged(self.network)
