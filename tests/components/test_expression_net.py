"""Another expression for a portrait, by numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hallo_lit.components.expression_net import ExpressionNet
from hallo_lit.structs import MaskPyramid
from tiny_hallo import normal, redraw, uniform


@pytest.fixture
def net() -> ExpressionNet:
    made = ExpressionNet(4, ("blink", "brow"), width=8, blocks=1, groups=4)
    redraw(made)
    return made


def masks(frames: int | None = None) -> MaskPyramid:
    own = () if frames is None else (frames,)
    return MaskPyramid.from_masks(uniform(2, 2, *own, 3, 24, 24), (8, 8), 1)


def told(frames: int = 3) -> Tensor:
    return normal(3, 2, frames, 2)


def test_an_untrained_one_leaves_the_portrait() -> None:
    net, portrait = ExpressionNet(4, groups=16), normal(1, 2, 4, 8, 8)
    made = net(portrait, normal(2, 2, 3, 4), masks())
    assert torch.equal(made, portrait[:, None].expand(-1, 3, -1, -1, -1))


def test_zeros_leave_every_bit_of_it(net: ExpressionNet) -> None:
    portrait, controls = normal(1, 2, 4, 8, 8), told()
    controls[:, 1] = 0
    made = net(portrait, controls, masks())
    assert made.shape == (2, 3, 4, 8, 8)
    assert torch.equal(made[:, 1], portrait)
    assert (made[:, 0] - portrait).abs().max() > 0.1


def test_the_lips_are_not_its_business(net: ExpressionNet) -> None:
    regions = torch.zeros(2, 3, 8, 8)
    regions[:, 2, 5:] = 1
    portrait = normal(1, 2, 4, 8, 8)
    made = net(portrait, told(), MaskPyramid.from_masks(regions, (8, 8), 1))
    assert torch.equal(made[..., 5:, :], portrait[:, None, :, 5:].expand(-1, 3, -1, -1, -1))
    assert not torch.equal(made[..., :5, :], portrait[:, None, :, :5].expand(-1, 3, -1, -1, -1))


@torch.no_grad()
def test_frames_and_clips_are_independent(net: ExpressionNet) -> None:
    portrait, controls, regions = normal(1, 2, 4, 8, 8), told(), masks(3)
    made = net(portrait, controls, regions)
    for clip in range(2):
        for frame in range(3):
            alone = MaskPyramid((regions.levels[0][clip : clip + 1, frame : frame + 1],))
            wanted = net(portrait[clip : clip + 1], controls[clip : clip + 1, frame : frame + 1], alone)
            torch.testing.assert_close(made[clip, frame], wanted[0, 0], rtol=1e-4, atol=1e-5)
