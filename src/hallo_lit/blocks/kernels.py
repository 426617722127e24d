"""Which arithmetic computes attention; chosen once for a whole model, never inside a forward.

diffusers keeps this choice in `Attention.processor`. Our own blocks put a `Kernel` there; the blocks that come whole
from diffusers get diffusers' matching processor.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention, AttnProcessor, AttnProcessor2_0, XFormersAttnProcessor
from torch import Tensor, nn

from hallo_lit.errors import UserError


class Kernel:
    """softmax(q k^T / sqrt(d)) v over (..., heads, l, d)."""

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value)


class MathKernel(Kernel):
    """Plain matrix products; slow and easy to reason about."""

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return (query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)).softmax(-1) @ value


class XformersKernel(Kernel):
    """Memory-efficient attention of the xformers package; CUDA only."""

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        from xformers.ops import memory_efficient_attention

        query, key, value = (t.transpose(1, 2) for t in (query, key, value))  # (n, l, heads, d)
        return memory_efficient_attention(query, key, value).transpose(1, 2)


KERNELS: dict[str, tuple[Any, Any]] = {
    "sdpa": (Kernel, AttnProcessor2_0),
    "math": (MathKernel, AttnProcessor),
    "xformers": (XformersKernel, XFormersAttnProcessor),
}


def use_attention(model: nn.Module, name: str, device: torch.device | str = "cpu") -> None:
    """Make every attention of `model` use the kernel `name`: sdpa, xformers or math.

    Raises:
        UserError: the name is unknown, or xformers cannot run here.
    """
    if name not in KERNELS:
        raise UserError(f"attention={name} is not known; choose one of {', '.join(KERNELS)}.")
    if name == "xformers":
        if find_spec("xformers") is None:
            raise UserError("attention=xformers needs the package: pip install 'hallo-lit[xformers]'; or use sdpa.")
        if torch.device(device).type != "cuda":
            raise UserError(f"attention=xformers has no kernels for device={device}; use attention=sdpa.")
    kernel, processor = KERNELS[name]
    for module in model.modules():
        if isinstance(module, Attention):
            module.set_processor(kernel() if isinstance(module.processor, Kernel) else processor())
