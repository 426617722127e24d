"""Attention arithmetic, with and without a portrait, against attention written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hallo_lit.blocks.attention import ZeroConv, attend, attend_to_nothing, attention, key_value, split_heads
from hallo_lit.structs import KeyValue
from tiny_hallo import CLOSE, normal, redraw

DIM, HEADS = 8, 2


def written_out(attn, x: Tensor, context: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(d)) v, head by head, in float64."""
    q, k, v = (layer.weight.double() for layer in (attn.to_q, attn.to_k, attn.to_v))
    d = q.shape[0] // attn.heads
    outputs = []
    for head in range(attn.heads):
        rows = slice(head * d, (head + 1) * d)
        query, key, value = x.double() @ q[rows].T, context.double() @ k[rows].T, context.double() @ v[rows].T
        outputs.append((query @ key.transpose(1, 2) / d**0.5).softmax(-1) @ value)
    out = attn.to_out[0]
    return (torch.cat(outputs, -1) @ out.weight.double().T + out.bias.double()).float()


@pytest.fixture
def attn():
    return redraw(attention(DIM, HEADS))


def test_it_is_attention_over_itself(attn) -> None:
    x = normal(1, 3, 5, DIM)
    torch.testing.assert_close(attend(attn, x), written_out(attn, x, x), **CLOSE)


def test_it_is_attention_over_a_context_of_another_width() -> None:
    attn, x, context = redraw(attention(DIM, HEADS, 6)), normal(1, 3, 5, DIM), normal(2, 3, 7, 6)
    torch.testing.assert_close(attend(attn, x, context), written_out(attn, x, context), **CLOSE)


def test_queries_keys_and_values_have_no_bias() -> None:
    attn = attention(DIM, HEADS)
    assert (attn.to_q.bias, attn.to_k.bias, attn.to_v.bias) == (None, None, None)


def test_extra_keys_are_a_longer_context(attn) -> None:
    x, portrait = normal(1, 3, 5, DIM), normal(2, 3, 4, DIM)
    widened = attend(attn, x, extra=key_value(attn, portrait))
    torch.testing.assert_close(widened, written_out(attn, x, torch.cat([x, portrait], 1)), **CLOSE)


def test_rows_that_lost_the_portrait_do_not_see_it(attn) -> None:
    x, extra = normal(1, 4, 5, DIM), key_value(attn, normal(2, 4, 5, DIM))
    keep = torch.tensor([True, False, True, False])
    mixed = attend(attn, x, extra=extra, keep=keep)
    torch.testing.assert_close(mixed[~keep], attend(attn, x)[~keep], **CLOSE)
    assert torch.equal(mixed[keep], attend(attn, x, extra=extra)[keep])
    assert (mixed[keep] - attend(attn, x)[keep]).abs().max() > 0.01


def test_a_lost_portrait_passes_no_gradient(attn) -> None:
    portrait = normal(2, 2, 5, DIM).requires_grad_()
    extra = key_value(attn, portrait)
    attend(attn, normal(1, 2, 5, DIM), extra=extra, keep=torch.tensor([True, False])).square().sum().backward()
    assert portrait.grad[0].abs().max() > 0
    assert not portrait.grad[1].any()


def test_attending_to_zeros_gives_the_output_bias(attn) -> None:
    x = normal(1, 3, 5, DIM)
    nothing = attend_to_nothing(attn)
    assert nothing.shape == (DIM,)
    torch.testing.assert_close(attend(attn, x, torch.zeros(3, 4, DIM)), nothing.expand(3, 5, DIM), **CLOSE)


def test_heads_are_consecutive_channels() -> None:
    x = torch.arange(12.0).view(1, 2, 6)
    assert split_heads(x, 3)[0, 1].tolist() == [[2.0, 3.0], [8.0, 9.0]]


def test_keys_and_values_keep_leading_axes(attn) -> None:
    pair = key_value(attn, normal(1, 2, 1, 5, DIM))  # (b, p, l, c)
    assert isinstance(pair, KeyValue)
    assert pair.key.shape == pair.value.shape == (2, 1, HEADS, 5, DIM // HEADS)


def test_a_zero_convolution_starts_silent_and_can_learn() -> None:
    conv = ZeroConv(DIM)
    out = conv(normal(1, 2, 5, DIM))
    assert not out.any()
    (out - 1).square().sum().backward()
    assert conv.weight.grad.any()
    assert conv.bias.grad.any()
