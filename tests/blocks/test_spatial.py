"""The per-frame transformer, its envelope, and the tap that ends the ReferenceNet."""

from __future__ import annotations

import torch

from hallo_lit.blocks.attention import key_value
from hallo_lit.blocks.spatial import SpatialBlock, SpatialTransformer, TokenTap
from tiny_hallo import CLOSE, normal, redraw

DIM, HEADS, CONTEXT = 8, 2, 6


def whole() -> SpatialTransformer:
    return redraw(SpatialTransformer(DIM, HEADS, CONTEXT, groups=4))


def test_its_tokens_are_its_first_norm() -> None:
    block, x = redraw(SpatialBlock(DIM, HEADS, CONTEXT)), normal(1, 2, 15, DIM)
    _, tokens = block(x, normal(2, 2, 3, CONTEXT))
    assert torch.equal(tokens, block.norm1(x))


def test_a_portrait_and_an_identity_both_matter() -> None:
    block, x, identity = redraw(SpatialBlock(DIM, HEADS, CONTEXT)), normal(1, 2, 15, DIM), normal(2, 2, 3, CONTEXT)
    plain, _ = block(x, identity)
    portrait = key_value(block.attn1, normal(3, 2, 15, DIM))
    assert (block(x, identity, portrait)[0] - plain).abs().max() > 0.01
    assert (block(x, identity + 1)[0] - plain).abs().max() > 0.01
    lost = block(x, identity, portrait, torch.tensor([False, False]))[0]
    torch.testing.assert_close(lost, plain, **CLOSE)


def test_the_envelope_keeps_height_and_width_apart() -> None:
    net, x = whole(), normal(1, 2, DIM, 3, 5)
    assert net.enter(x).shape == (2, 15, DIM)
    out, tokens = net(x, normal(2, 2, 3, CONTEXT))
    assert (out.shape, tokens.shape) == (x.shape, (2, 15, DIM))
    turned, _ = net(x.transpose(2, 3), normal(2, 2, 3, CONTEXT))
    torch.testing.assert_close(turned.transpose(2, 3), out, **CLOSE)  # nothing in it knows rows from columns


def test_leaving_adds_to_what_entered() -> None:
    net, x = whole(), normal(1, 2, DIM, 3, 5)
    tokens = normal(2, 2, 15, DIM)
    added = net.leave(tokens, x) - x
    one = net.proj_out(tokens[:, 7].unflatten(1, (DIM, 1))[..., None])[..., 0, 0]
    torch.testing.assert_close(added[:, :, 1, 2], one, **CLOSE)  # token 7 of 3 x 5 is row 1, column 2


def test_a_tap_gives_the_same_tokens_with_the_same_weights() -> None:
    net, x, context = whole(), normal(1, 2, DIM, 3, 5), normal(2, 2, 3, CONTEXT)
    tap = TokenTap(net)
    out, tokens = tap(x, context)
    assert torch.equal(tokens, net(x, context)[1])
    assert out is x
    assert tap.block["norm1"].weight is net.block.norm1.weight
    kept = {name for name, _ in tap.named_parameters()}
    assert kept < {name for name, _ in net.named_parameters()}  # names as in the whole, so one key table serves both
