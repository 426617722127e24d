"""Stage 1 (paper, section 3.4): one frame from one reference frame of the same person; who it is and where."""

from __future__ import annotations

from typing import ClassVar

from hallo_lit.errors import UserError
from hallo_lit.stages.base import DiffusionStage
from hallo_lit.structs import ClipBatch


class AppearanceStage(DiffusionStage):
    """ReferenceNet, the denoiser's spatial modules, identity projection and face locator learn from single frames."""

    name: ClassVar[str] = "appearance"
    follows: ClassVar[tuple[str, ...]] = ("codec", "appearance")

    def check(self, batch: ClipBatch) -> None:
        super().check(batch)
        frames, past = batch.frames.shape[1], batch.inputs.past.shape[1]
        if (frames, past) != (1, 0):
            raise UserError(
                f"stage=appearance learns from single frames, not from clips of {frames} with {past} motion frames; "
                "set data.samples.policy.frames=1 and data.samples.policy.motion=0."
            )
