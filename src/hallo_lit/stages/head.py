"""The HeadNet learns where pixels come from when a head turns."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from hallo_lit.stages.filmed import Filmed
from hallo_lit.stages.warp import WarpStage
from hallo_lit.structs import ClipInputs


class HeadStage(WarpStage):
    """See `WarpStage`. Its clips show the window around a head that `animate` will show the net: `hallo-lit synthesize
    store=true close_up=1.6 close_up_size=128` for `model.head_net.margin=1.6`, `size=128`."""

    name: ClassVar[str] = "head"
    told: ClassVar[str] = "head_net"

    @torch.inference_mode()
    def film(self, clip: Filmed) -> Tensor:
        """A clip's portrait, moved by the true controls: (f, 3, H, W) in [-1, 1]; the face does not talk."""
        assert clip.expression is not None
        nothing, device = torch.zeros(1, 0), self.device
        shown = ClipInputs(
            clip.portrait.pixels[None], nothing, nothing, nothing, clip.portrait.regions[None], nothing,
            clip.expression[None],
        )  # fmt: skip
        return self.moved(shown.to(device))[0][0].float().clamp(-1, 1).cpu()
