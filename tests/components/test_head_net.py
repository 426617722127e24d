"""Heads moved by numbers."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.components.head_net import HeadNet
from tiny_hallo import normal, redraw, uniform

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
PICTURE = uniform(1, 2, 3, 16, 24) * 2 - 1
MASKS = uniform(2, 2, 1, 3, 4, 6)


@pytest.fixture
def net() -> HeadNet:
    made = HeadNet(("yaw", "tx"), width=8, blocks=1, groups=4, cell=4)
    redraw(made)
    return made


def test_an_untrained_one_leaves_the_picture() -> None:
    made = HeadNet()(PICTURE, 10 * normal(2, 2, 3, 6), MASKS)
    assert made.shape == (2, 3, 3, 16, 24)
    torch.testing.assert_close(made, PICTURE[:, None].expand_as(made), **CLOSE)


def test_lips_move_with_the_head(net: HeadNet) -> None:
    masks = torch.ones_like(MASKS)
    told = torch.tensor([[[0.0, 0.0], [20.0, 10.0]]]).expand(2, -1, -1)
    made = net(PICTURE, told, masks)
    torch.testing.assert_close(made[:, 0], PICTURE, **CLOSE)
    assert (made[:, 1] - PICTURE).abs().mean() > 0.01


def test_degrees_are_told_in_units_of_ten() -> None:
    """A map of ones, ten degrees: pixels come from 0.1 of half the picture further right."""
    made = HeadNet(("yaw",), width=8, blocks=1, groups=4, cell=4)
    with torch.no_grad():
        made.conv_out.bias.view(2, 4)[0] = 1.0  # type: ignore[union-attr]
    flow = made.change(PICTURE, torch.tensor([[[10.0], [-5.0]]]).expand(2, -1, -1), MASKS)
    assert flow.shape == (2, 2, 2, 8, 12)
    torch.testing.assert_close(flow[0, 0, 0], torch.ones(8, 12))
    torch.testing.assert_close(flow[0, 1, 0], torch.full((8, 12), -0.5))
    assert not flow[:, :, 1].any()
    ramp = torch.linspace(0, 1, 40).expand(1, 3, 20, 40)
    moved = made(ramp, torch.tensor([[[10.0]]]), MASKS[:1])[0, 0]
    torch.testing.assert_close(moved[:, :, :36], ramp[0, :, :, 2:38], **CLOSE)


def test_units_are_no_weights(net: HeadNet) -> None:
    assert "units" not in net.state_dict()
