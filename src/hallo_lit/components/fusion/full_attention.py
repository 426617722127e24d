"""Ablation (paper, table 4 and figure 3): a single cross-attention that knows no regions."""

from __future__ import annotations

from torch import Tensor

from hallo_lit.blocks.attention import attend, attend_to_nothing, attention
from hallo_lit.components.fusion.base import AudioFusion


class FullAttentionFusion(AudioFusion):
    def __init__(self, dim: int, heads: int, audio_dim: int) -> None:
        super().__init__()
        self.attn = attention(dim, heads, audio_dim)

    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        return attend_to_nothing(self.attn).expand_as(x) if audio is None else attend(self.attn, x, audio)
