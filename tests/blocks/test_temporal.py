"""Attention along time: motion frames in front, pixels apart, positions from zero."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hallo_lit.blocks.temporal import TemporalTransformer
from tiny_hallo import CLOSE, normal, redraw

CHANNELS, FRAMES, HEIGHT, WIDTH = 8, 3, 2, 5


def temporal() -> TemporalTransformer:
    return redraw(TemporalTransformer(CHANNELS, heads=2, blocks=1, max_frames=8, groups=4))


def maps(tokens: Tensor) -> Tensor:
    """(b, f, l, c) -> (b f, c, h, w)"""
    return tokens.flatten(0, 1).transpose(1, 2).unflatten(2, (HEIGHT, WIDTH))


def test_a_new_one_does_nothing() -> None:
    net = TemporalTransformer(CHANNELS, heads=2, groups=4)
    x, motion = normal(1, 2 * FRAMES, CHANNELS, HEIGHT, WIDTH), normal(2, 2, 2, HEIGHT * WIDTH, CHANNELS)
    assert torch.equal(net(x, FRAMES, motion), x)


def test_it_learns_where_nothing_before_it_does() -> None:
    """Its own norm, and one that a later layer has; either ended the process on CPUs."""
    net, later = temporal(), torch.nn.GroupNorm(4, CHANNELS)
    x, motion = normal(1, 2 * FRAMES, CHANNELS, HEIGHT, WIDTH), normal(2, 2, 1, HEIGHT * WIDTH, CHANNELS)

    def gradients(given: Tensor) -> list[Tensor | None]:
        net.zero_grad()
        later(net(given, FRAMES, motion)).square().sum().backward()
        return [None if p.grad is None else p.grad.clone() for p in (*net.norm.parameters(), *net.proj_in.parameters())]

    alone, among_others = gradients(x), gradients(x.clone().requires_grad_())
    assert all(one is not None and torch.equal(one, other) for one, other in zip(alone, among_others, strict=True))
    assert not x.requires_grad  # the caller's tensor stays as it is


def test_motion_frames_are_frames_in_front_that_are_not_returned() -> None:
    net, b = temporal(), 2
    motion = normal(1, b, 2, HEIGHT * WIDTH, CHANNELS)
    clip = normal(2, b, FRAMES, HEIGHT * WIDTH, CHANNELS)
    seen = net(maps(clip), FRAMES, motion)
    joined = net(maps(torch.cat([motion, clip], 1)), 2 + FRAMES).unflatten(0, (b, -1))
    torch.testing.assert_close(seen.unflatten(0, (b, FRAMES)), joined[:, 2:], **CLOSE)
    assert (seen - net(maps(clip), FRAMES)).abs().max() > 0.01


def test_frames_hear_each_other_and_pixels_do_not() -> None:
    net, x = temporal(), normal(1, FRAMES, CHANNELS, HEIGHT, WIDTH)
    moved = x.clone()
    moved[2, :, 1, 3] += 1 - 2 * (torch.arange(CHANNELS) % 2)  # leaves the mean of every group as it was
    groups = net.norm
    net.norm = torch.nn.Identity()  # per-frame statistics are the only other way between pixels
    change = (net(moved, FRAMES) - net(x, FRAMES)).abs().amax(1)
    net.norm = groups
    assert (change[:, 1, 3] > 1e-3).all()
    change[:, 1, 3] = 0
    assert not change.any()


def test_norms_are_per_frame() -> None:
    net, x = temporal(), normal(1, FRAMES, CHANNELS, HEIGHT, WIDTH)
    seen: list[Tensor] = []
    net.norm.register_forward_hook(lambda _, args, out: seen.append(out))
    net(x, FRAMES)
    for frame in range(FRAMES):
        torch.testing.assert_close(seen[0][frame], net.norm(x[frame : frame + 1])[0], **CLOSE)


def test_the_order_of_frames_matters() -> None:
    net, x = temporal(), normal(1, FRAMES, CHANNELS, HEIGHT, WIDTH)
    backwards = net(x.flip(0), FRAMES).flip(0)
    assert (backwards - net(x, FRAMES)).abs().max() > 0.01


def test_clips_of_a_batch_do_not_meet() -> None:
    net, motion = temporal(), normal(2, 2, 2, HEIGHT * WIDTH, CHANNELS)
    x = normal(1, 2 * FRAMES, CHANNELS, HEIGHT, WIDTH)
    both = net(x, FRAMES, motion)
    for clip in range(2):
        rows = slice(clip * FRAMES, (clip + 1) * FRAMES)
        torch.testing.assert_close(both[rows], net(x[rows], FRAMES, motion[clip : clip + 1]), **CLOSE)


def test_all_positions_can_be_used_and_no_more() -> None:
    net = temporal()
    assert net.positions == 8
    motion = normal(2, 1, 2, HEIGHT * WIDTH, CHANNELS)
    assert net(normal(1, 6, CHANNELS, HEIGHT, WIDTH), 6, motion).shape == (6, CHANNELS, HEIGHT, WIDTH)
    with pytest.raises(RuntimeError):
        net(normal(1, 7, CHANNELS, HEIGHT, WIDTH), 7, motion)


def test_several_blocks_follow_each_other() -> None:
    net = redraw(TemporalTransformer(CHANNELS, heads=2, blocks=2, max_frames=8, groups=4))
    x = normal(1, FRAMES, CHANNELS, HEIGHT, WIDTH)
    whole = net(x, FRAMES)
    net.blocks = net.blocks[:1]
    assert (whole - net(x, FRAMES)).abs().max() > 0.01
