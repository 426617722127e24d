"""Ablation of ours: hierarchical fusion whose 1x1 convolutions start as ordinary ones instead of at zero."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.structs import REGIONS


class ConvolutionFusion(HierarchicalFusion):
    def __init__(self, dim: int, heads: int, audio_dim: int, branches: Sequence[str] = REGIONS) -> None:
        super().__init__(dim, heads, audio_dim, branches)
        self.zero_conv = nn.ModuleList(nn.Linear(dim, dim) for _ in branches)  # type: ignore[assignment]
