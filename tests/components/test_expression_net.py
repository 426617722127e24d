"""Another expression for a portrait, by numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hallo_lit.components.expression_net import ExpressionNet
from tiny_hallo import normal, redraw, uniform

SIZE = (16, 24)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture
def net() -> ExpressionNet:
    made = ExpressionNet(("blink", "brow"), width=8, blocks=1, groups=4, cell=2)
    redraw(made)
    return made


def picture() -> Tensor:
    return uniform(1, 2, 3, *SIZE) * 2 - 1


def told(frames: int = 3) -> Tensor:
    return normal(3, 2, frames, 2)


def regions(frames: int = 1) -> Tensor:
    return uniform(2, 2, frames, 3, 4, 6)


def test_an_untrained_one_leaves_the_portrait() -> None:
    made = ExpressionNet()(picture(), normal(2, 2, 3, 4), regions())
    assert made.shape == (2, 3, 3, *SIZE)
    torch.testing.assert_close(made, picture()[:, None].expand_as(made), **CLOSE)


def test_zeros_leave_it_too(net: ExpressionNet) -> None:
    controls = told()
    controls[:, 1] = 0
    made = net(picture(), controls, regions())
    torch.testing.assert_close(made[:, 1], picture(), **CLOSE)
    assert (made[:, 0] - picture()).abs().max() > 0.1


def test_the_lips_are_not_its_business(net: ExpressionNet) -> None:
    masks = torch.zeros(2, 1, 3, *SIZE)
    masks[:, :, 2, 8:] = 1
    made = net(picture(), told(), masks)
    below = slice(10, None)  # maps have twice the size of a pixel
    torch.testing.assert_close(made[..., below, :], picture()[:, None, :, below].expand(-1, 3, -1, -1, -1), **CLOSE)
    assert (made[..., :6, :] - picture()[:, None, :, :6]).abs().max() > 0.1


def test_a_constant_map_moves_every_pixel_alike() -> None:
    """Where pixels come from: a map of ones takes them from 0.1 of half the picture further right."""
    net = ExpressionNet(("open",), width=8, blocks=1, groups=4, cell=2)
    with torch.no_grad():
        net.conv_out.bias.view(5, 4)[0] = 1.0  # type: ignore[union-attr]
    ramp = torch.linspace(0, 1, 40).expand(1, 3, 20, 40)
    made = net(ramp, torch.ones(1, 1, 1), torch.zeros(1, 1, 3, 4, 4))[0, 0]
    torch.testing.assert_close(made[:, :, :36], ramp[0, :, :, 2:38], **CLOSE)


@torch.no_grad()
def test_frames_and_clips_are_independent(net: ExpressionNet) -> None:
    controls, masks = told(), regions(3)
    made = net(picture(), controls, masks)
    for clip in range(2):
        for frame in range(3):
            one, at = slice(clip, clip + 1), slice(frame, frame + 1)
            alone = net(picture()[one], controls[one, at], masks[one, at])
            torch.testing.assert_close(made[clip, frame], alone[0, 0], **CLOSE)
