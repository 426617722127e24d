"""Per-frame transformer whose cross-attention is an audio fusion mechanism (paper, section 3.2)."""

from __future__ import annotations

from diffusers.models.attention import FeedForward
from torch import Tensor, nn

from hallo_lit.blocks.attention import attend, attention
from hallo_lit.blocks.spatial import TokenTransformer


class AudioBlock(nn.Module):
    def __init__(self, dim: int, heads: int, fusion: nn.Module) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn1 = attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.fusion = fusion
        self.norm3 = nn.LayerNorm(dim)
        self.ff = FeedForward(dim)

    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        """x (n, l, dim), audio (n, tokens, audio_dim) or None for silence, masks (n, r, h, w), scale (r,)."""
        x = x + attend(self.attn1, self.norm1(x))
        x = x + self.fusion(self.norm2(x), audio, masks, scale)
        return x + self.ff(self.norm3(x))


class AudioTransformer(TokenTransformer):
    """`width` is the block's own width, which released Hallo weights have narrower than `channels` in places."""

    block: AudioBlock

    def __init__(self, channels: int, width: int, heads: int, fusion: nn.Module, groups: int) -> None:
        super().__init__(channels, width, AudioBlock(width, heads, fusion), groups)

    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        """x (n, c, h, w), masks (n, r, h w); the fusion gets them as pictures (n, r, h, w), whose places it may use."""
        return self.leave(self.block(self.enter(x), audio, masks.unflatten(-1, x.shape[-2:]), scale), x)
