"""The choice of attention kernel: same values, and a reason where a choice is impossible."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch
from diffusers.models.attention_processor import Attention

from hallo_lit.blocks import kernels
from hallo_lit.blocks.kernels import KERNELS, Kernel, MathKernel, XformersKernel, use_attention
from hallo_lit.errors import UserError
from tiny_hallo import CLOSE, conditioned, noisy, normal, tiny_clip, tiny_hallo


@torch.no_grad()
def everything(hallo) -> tuple[torch.Tensor, ...]:
    clip = tiny_clip(1)
    latents = hallo.encode(clip.portrait)
    return hallo(noisy(), torch.tensor([400]), conditioned(hallo, clip)), hallo.codec.decode(latents)


def test_sdpa_and_math_agree_everywhere() -> None:
    hallo = tiny_hallo()
    sdpa = everything(hallo)
    use_attention(hallo, "math")
    processors = {type(m.processor).__name__ for m in hallo.modules() if isinstance(m, Attention)}
    assert processors == {"MathKernel", "AttnProcessor"}
    for ours, wanted in zip(everything(hallo), sdpa, strict=True):
        assert not torch.equal(ours, wanted)  # it was really another kernel
        torch.testing.assert_close(ours, wanted, **CLOSE)
    use_attention(hallo, "sdpa")
    assert all(torch.equal(a, b) for a, b in zip(everything(hallo), sdpa, strict=True))


def test_a_choice_reaches_every_attention() -> None:
    hallo = tiny_hallo()
    attentions = [m for m in hallo.modules() if isinstance(m, Attention)]
    own = sum(isinstance(m.processor, Kernel) for m in attentions)
    assert own > 20
    assert own < len(attentions)  # those of the temporal parts and of the codec are diffusers'
    for name, (kernel, processor) in KERNELS.items():
        if name != "xformers":
            use_attention(hallo, name)
            kinds = [type(m.processor) for m in attentions]
            assert (kinds.count(kernel), kinds.count(processor)) == (own, len(attentions) - own)


def test_an_unknown_kernel_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="attention=flash3 is not known; choose one of sdpa, math, xformers"):
        use_attention(torch.nn.Identity(), "flash3")


def test_xformers_without_the_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'hallo-lit\[xformers\]'"):
        use_attention(torch.nn.Identity(), "xformers", "cuda")


def test_xformers_on_a_cpu_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "find_spec", lambda name: object())
    with pytest.raises(UserError, match=r"no kernels for device=cpu; use attention=sdpa"):
        use_attention(torch.nn.Identity(), "xformers", "cpu")


def test_xformers_gets_its_own_order_of_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    def memory_efficient_attention(query, key, value):
        """As documented: (batch, tokens, heads, channels)."""
        assert query.shape == (2, 5, 3, 4)
        assert key.shape == value.shape == (2, 7, 3, 4)
        weights = torch.einsum("nqhc,nkhc->nhqk", query, key).div(2).softmax(-1)
        return torch.einsum("nhqk,nkhc->nqhc", weights, value)

    ops = ModuleType("xformers.ops")
    ops.memory_efficient_attention = memory_efficient_attention  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xformers", ModuleType("xformers"))
    monkeypatch.setitem(sys.modules, "xformers.ops", ops)
    query, key, value = normal(1, 2, 3, 5, 4), normal(2, 2, 3, 7, 4), normal(3, 2, 3, 7, 4)
    torch.testing.assert_close(XformersKernel()(query, key, value), MathKernel()(query, key, value), **CLOSE)


@pytest.mark.gpu
def test_xformers_agrees_on_a_gpu() -> None:
    pytest.importorskip("xformers")
    query, key, value = (normal(i, 2, 3, 64, 32).cuda() for i in range(3))
    wanted = Kernel()(query, key, value)
    torch.testing.assert_close(XformersKernel()(query, key, value), wanted, rtol=1e-3, atol=1e-3)
