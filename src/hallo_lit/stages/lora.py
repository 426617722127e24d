"""Low-rank adapters (arXiv 2106.09685) in and out of a network, by peft."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from hallo_lit.errors import UserError


@dataclass(frozen=True)
class Lora:
    """targets: patterns of module names (`denoiser.*.audio.*.to_q`); their linear layers get factors of `rank`.

    The factors count `alpha / rank` times. There is no dropout, which would make a resumed run differ.
    """

    targets: Sequence[str] = ("denoiser.*.to_q", "denoiser.*.to_k", "denoiser.*.to_v", "denoiser.*.to_out.0")
    rank: int = 16
    alpha: int = 16


def inject(network: nn.Module, lora: Lora) -> None:
    """Puts adapters in place; they begin as zero, so the network computes what it did.

    Raises:
        UserError: a pattern names no linear layer.
    """
    from peft import LoraConfig, inject_adapter_in_model

    layers = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    for pattern in lora.targets:
        if not any(fnmatchcase(name, pattern) for name in layers):
            raise UserError(f"The LoRA target {pattern!r} names no linear layer of the network.")
    chosen = [name for name in layers if any(fnmatchcase(name, pattern) for pattern in lora.targets)]
    inject_adapter_in_model(LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=chosen), network)


def merged(network: nn.Module) -> nn.Module:
    """A copy with the adapters added to the layers they sit beside, under the layers' own names."""
    from peft.tuners.lora import LoraLayer

    copy = deepcopy(network)
    adapted = [(name, module) for name, module in copy.named_modules() if isinstance(module, LoraLayer)]
    for name, layer in adapted:
        layer.merge()
        parent, _, last = name.rpartition(".")
        setattr(copy.get_submodule(parent), last, layer.get_base_layer())
    return copy
