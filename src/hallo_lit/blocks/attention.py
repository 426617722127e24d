"""Attention arithmetic over the weights held by diffusers' `Attention`."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from hallo_lit.blocks.kernels import Kernel
from hallo_lit.structs import KeyValue


def attention(dim: int, heads: int, context_dim: int | None = None) -> Attention:
    """Weights of multi-head attention from `dim` to `context_dim` (itself by default); no bias on q, k and v."""
    kernel: Any = Kernel()  # diffusers only names the type of its own
    return Attention(dim, context_dim, heads=heads, dim_head=dim // heads, processor=kernel)


def split_heads(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)  # (..., l, c) -> (..., heads, l, c / heads)


def key_value(attn: Attention, context: Tensor) -> KeyValue:
    return KeyValue(split_heads(attn.to_k(context), attn.heads), split_heads(attn.to_v(context), attn.heads))


def attend(
    attn: Attention,
    x: Tensor,
    context: Tensor | None = None,
    extra: KeyValue | None = None,
    keep: Tensor | None = None,
) -> Tensor:
    """Attention from `x` to `context` (itself by default), widened by the keys and values of `extra`.

    Where `keep` (n,) is False the row sees its own keys twice instead, which equals not seeing `extra` at all.
    """
    query = split_heads(attn.to_q(x), attn.heads)
    own = key_value(attn, x if context is None else context)
    key, value = own
    if extra is not None:
        if keep is not None:
            extra = KeyValue(*(torch.where(keep[:, None, None, None], e, o) for e, o in zip(extra, own, strict=True)))
        key, value = torch.cat([key, extra.key], 2), torch.cat([value, extra.value], 2)
    kernel: Any = attn.processor
    out: Tensor = kernel(query, key, value)
    projected: Tensor = _output(attn)(out.transpose(1, 2).flatten(2))
    return projected


def attend_to_nothing(attn: Attention) -> Tensor:
    """What `attend` gives for an all-zero context: keys and values are zero, so only the output bias (c,) is left."""
    bias: Tensor = _output(attn).bias
    return bias


def _output(attn: Attention) -> Any:
    """A linear layer, or one with low-rank factors beside it."""
    return attn.to_out[0]


class ZeroConv(nn.Linear):
    """1x1 convolution over tokens whose output starts at zero (paper, section 3.2)."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, dim)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)
