"""Hallo's hierarchical audio-visual cross-attention (paper, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from hallo_lit.blocks.attention import ZeroConv
from hallo_lit.components.fusion.base import RegionalFusion
from hallo_lit.structs import REGIONS


class HierarchicalFusion(RegionalFusion):
    """One cross-attention per region, masked, then through a zero-conv, then summed."""

    zero_conv: Sequence[nn.Linear]

    def __init__(self, dim: int, heads: int, audio_dim: int, branches: Sequence[str] = REGIONS) -> None:
        super().__init__(dim, heads, audio_dim, branches)
        self.zero_conv = nn.ModuleList(ZeroConv(dim) for _ in branches)  # type: ignore[assignment]

    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        update = x.new_zeros(())
        heard = zip(self.heard(x, audio), self.zero_conv, self.weights(masks, scale), strict=True)
        for value, conv, (mask, s) in heard:
            # conv(mask * value) written so that silence costs one vector product; the bias acts outside the mask too
            update = update + s * (mask * F.linear(value, conv.weight) + conv.bias)
        return update
