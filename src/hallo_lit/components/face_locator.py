"""Tells the denoiser where the face is: a face-box image becomes a feature added after its first convolution."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn


class FaceLocator(nn.Module):
    """3x3 convolutions that halve the picture len(widths) - 1 times; the last one starts at zero.

    `out_channels` is the width of the denoiser's first level; the halvings must equal the codec's.
    """

    def __init__(self, out_channels: int = 320, widths: Sequence[int] = (16, 32, 64, 128)) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList()
        for cin, cout in pairwise(widths):
            self.blocks.append(nn.Conv2d(cin, cin, 3, padding=1))
            self.blocks.append(nn.Conv2d(cin, cout, 3, padding=1, stride=2))
        self.conv_out = nn.Conv2d(widths[-1], out_channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, locator: Tensor) -> Tensor:
        """locator (b, 1, H, W) in [0, 1], or (b, 3, H, W). Returns (b, out_channels, h, w)."""
        x = F.silu(self.conv_in(locator.expand(-1, 3, -1, -1)))
        for block in self.blocks:
            x = F.silu(block(x))
        return self.conv_out(x)
