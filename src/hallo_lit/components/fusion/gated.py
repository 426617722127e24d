"""Ablation of ours: every region feature passes a learned gate per channel that starts closed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hallo_lit.components.fusion.base import RegionalFusion
from hallo_lit.structs import REGIONS


class GatedFusion(RegionalFusion):
    """tanh gates as in Flamingo (arXiv 2204.14198, section 3.2), one vector per region."""

    def __init__(self, dim: int, heads: int, audio_dim: int, branches: Sequence[str] = REGIONS) -> None:
        super().__init__(dim, heads, audio_dim, branches)
        self.gate = nn.ParameterList(nn.Parameter(torch.zeros(dim)) for _ in branches)

    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        heard = zip(self.heard(x, audio), self.gate, self.weights(masks, scale), strict=True)
        return sum((s * (mask * value * gate.tanh()) for value, gate, (mask, s) in heard), x.new_zeros(()))
