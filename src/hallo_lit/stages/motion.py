"""Stage 2 (paper, section 3.4): clips that follow their audio and the frames before them."""

from __future__ import annotations

from typing import ClassVar

from hallo_lit.errors import UserError
from hallo_lit.stages.base import DiffusionStage
from hallo_lit.structs import ClipBatch


class MotionStage(DiffusionStage):
    """Hierarchical audio-visual attention, audio projection and motion modules learn; stage 1's work is frozen."""

    name: ClassVar[str] = "motion"
    follows: ClassVar[tuple[str, ...]] = ("appearance", "motion", "talking", "decoder", "expression", "head")

    def check(self, batch: ClipBatch) -> None:
        super().check(batch)
        if not batch.inputs.audio.numel():
            raise UserError(f"stage={self.name} needs audio; set data.samples.audio=true.")
        if self.network.audio_projection is None:
            raise UserError(f"stage={self.name} needs a model that hears; set model.audio_projection, see conf/model.")
