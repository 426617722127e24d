"""The ExpressionNet learns what lids, brows and gaze do to a portrait."""

from __future__ import annotations

from typing import ClassVar

from hallo_lit.components.hallo import Hallo
from hallo_lit.errors import UserError
from hallo_lit.stages.objective import Process
from hallo_lit.stages.warp import WarpStage


class ExpressionStage(WarpStage):
    """See `WarpStage`. `stage=talking` may train net and denoiser together, where `data.samples.expression` names the
    controls."""

    name: ClassVar[str] = "expression"

    def require_use(self, network: Hallo, process: Process) -> None:
        if not network.denoiser.reference_input and getattr(process, "prior", None) is None:
            raise UserError(
                "Nothing of this model starts from the portrait, so that no expression would reach its frames: set "
                "process=reference_preconditioned, or model.denoiser.reference_input=true where the weights have it."
            )
