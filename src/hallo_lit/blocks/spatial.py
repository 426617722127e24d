"""Per-frame transformer: self-attention that may also see a portrait, identity cross-attention, MLP."""

from __future__ import annotations

from diffusers.models.attention import FeedForward
from torch import Tensor, nn

from hallo_lit.blocks.attention import attend, attention
from hallo_lit.structs import KeyValue


class SpatialBlock(nn.Module):
    """Stable Diffusion's transformer block whose self-attention keys can be widened by a portrait's."""

    def __init__(self, dim: int, heads: int, context_dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn1 = attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.attn2 = attention(dim, heads, context_dim)
        self.norm3 = nn.LayerNorm(dim)
        self.ff = FeedForward(dim)

    def forward(
        self, x: Tensor, context: Tensor, portrait: KeyValue | None = None, keep: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """x (n, l, dim) transformed, and its first norm (n, l, dim): the tokens another net may attend to."""
        tokens = self.norm1(x)
        x = x + attend(self.attn1, tokens, extra=portrait, keep=keep)
        x = x + attend(self.attn2, self.norm2(x), context)
        return x + self.ff(self.norm3(x)), tokens


class TokenTransformer(nn.Module):
    """GroupNorm -> 1x1 in -> `block` over tokens -> 1x1 out, with a residual; Stable Diffusion 1.5's envelope."""

    def __init__(self, channels: int, width: int, block: nn.Module, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, width, 1)
        self.block = block
        self.proj_out = nn.Conv2d(width, channels, 1)

    def enter(self, x: Tensor) -> Tensor:
        return self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)  # (n, c, h, w) -> (n, l, width)

    def leave(self, tokens: Tensor, x: Tensor) -> Tensor:
        return x + self.proj_out(tokens.transpose(1, 2).unflatten(2, x.shape[-2:]))


class SpatialTransformer(TokenTransformer):
    """The envelope around a `SpatialBlock`."""

    block: SpatialBlock

    def __init__(self, channels: int, heads: int, context_dim: int, groups: int) -> None:
        super().__init__(channels, channels, SpatialBlock(channels, heads, context_dim), groups)

    def forward(
        self, x: Tensor, context: Tensor, portrait: KeyValue | None = None, keep: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """x (n, c, h, w) transformed, and the tokens (n, l, c) of its block."""
        tokens, seen = self.block(self.enter(x), context, portrait, keep)
        return self.leave(tokens, x), seen


class TokenTap(nn.Module):
    """A spatial transformer cut off after its first norm: all that the last ReferenceNet cell is for."""

    def __init__(self, whole: SpatialTransformer) -> None:
        super().__init__()
        self.norm, self.proj_in = whole.norm, whole.proj_in
        self.block = nn.ModuleDict({"norm1": whole.block.norm1})

    def forward(
        self, x: Tensor, context: Tensor, portrait: KeyValue | None = None, keep: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        return x, self.block["norm1"](self.proj_in(self.norm(x)).flatten(2).transpose(1, 2))
