"""Audio tokens that must tell what the lips do: an auxiliary loss for clips whose true controls are known."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hallo_lit.errors import UserError
from hallo_lit.stages.objective import Step


class VisemeLoss(nn.Module):
    """Squared error of a linear reading of a frame's audio tokens against its true `curves`.

    The reader trains along and is no part of the network. Clips whose audio is dropped ask for nothing and count as
    zero, so that several processes add up to one.

    curves: which ones the samples bring, in their order. tokens, dim: of the audio projection.
    """

    needs_pixels = False

    def __init__(self, curves: Sequence[str], tokens: int, dim: int, weight: float = 1.0) -> None:
        """
        Raises:
            UserError: no curves are named.
        """
        super().__init__()
        if not curves:
            raise UserError("The viseme loss needs control curves to compare with; auxiliary=viseme names them.")
        self.weight, self.curves = weight, tuple(curves)
        self.read = nn.Linear(tokens * dim, len(self.curves))

    def forward(self, step: Step) -> Tensor:
        """
        Raises:
            UserError: the batch lacks the curves, or the clip is not heard.
        """
        true, tokens = step.batch.curves, step.cond.audio
        if tokens is None or true.shape[-1] != len(self.curves):
            raise UserError(
                f"The viseme loss compares what is heard with {len(self.curves)} control curves; set "
                "data.samples.curves and data.samples.audio as auxiliary=viseme does, or choose auxiliary=none."
            )
        heard = tokens.detach().flatten(1).any(1)  # (b,)
        error = (self.read(tokens.flatten(2)).float() - true).square().flatten(1).mean(1)
        return (error * heard).mean()
