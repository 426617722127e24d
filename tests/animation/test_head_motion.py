"""Finished frames whose head is moved."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hallo_lit.animation.head_motion import HeadMotion
from hallo_lit.animation.portrait import Photo
from hallo_lit.components.head_net import HeadNet
from hallo_lit.components.portrait_warp import REACH
from hallo_lit.faces.crop import square_crop
from tiny_hallo import tiny_portrait

SIZE = (200, 260)


@pytest.fixture
def net() -> HeadNet:
    """Ten degrees of yaw take every pixel from 0.1 of half the window further right."""
    made = HeadNet(("yaw",), width=8, blocks=1, groups=4, size=32)
    with torch.no_grad():
        made.conv_out.bias.view(2, 4)[0] = 1.0  # type: ignore[union-attr]
    return made


def photo(face: tuple[float, float, float, float] = (110, 80, 150, 130)) -> Photo:
    """A picture that becomes lighter towards the right, with landmarks all over a face box."""
    ramp = np.linspace(0, 250, SIZE[1])
    pixels = np.broadcast_to(ramp[None, :, None], (*SIZE, 3)).astype(np.uint8)
    spread = np.random.RandomState(0).random_sample((478, 3))
    spread[10], spread[152], spread[234], spread[454] = (0.5, 0, 0), (0.5, 1, 0), (0, 0.5, 0), (1, 0.5, 0)
    left, top, right, bottom = face
    landmarks = spread * [right - left, bottom - top, 1] + [left, top, 0]
    return Photo(pixels, tiny_portrait(), landmarks)


def moved(net: HeadNet, shown: Photo, frame: NDArray[np.uint8], yaw: float) -> NDArray[np.int64]:
    return HeadMotion(net, shown).moves(torch.tensor([[0.0], [yaw]]))(frame, 1).astype(int)


def test_pixels_move_within_the_window_and_nowhere_else(net: HeadNet) -> None:
    shown = photo()
    left, top, right, bottom = square_crop(shown.landmarks, SIZE, net.margin)
    assert left > 0  # else the test shows less
    assert top > 0
    made, step = moved(net, shown, shown.pixels, 10.0), 250 / (SIZE[1] - 1)
    difference = made - shown.pixels
    middle = difference[(top + bottom) // 2, (left + right) // 2]
    assert middle == pytest.approx(step * REACH * (right - left) / 2, abs=1)
    outside = np.ones(SIZE, bool)
    outside[top:bottom, left:right] = False
    assert not difference[outside].any()
    assert np.abs(difference[top : top + 2, left:right]).max() <= 1  # fades towards the edges
    assert np.abs(np.diff(made[..., 0], axis=1)).max() <= 3  # and nothing tears
    assert moved(net, shown, shown.pixels, -10.0)[(top + bottom) // 2, (left + right) // 2, 0] < made[100, 130, 0]


def test_a_head_in_the_portraits_pose_is_the_frame_itself(net: HeadNet) -> None:
    frame = np.random.RandomState(1).randint(0, 256, (*SIZE, 3), np.uint8)
    np.testing.assert_array_equal(moved(net, photo(), frame, 0.0), frame)


@pytest.mark.parametrize("face", [(2, 2, 100, 120), (160, 90, 258, 198), (20, 5, 240, 195)])
def test_windows_that_leave_the_photo(net: HeadNet, face: tuple[float, float, float, float]) -> None:
    shown = photo(face)
    made = moved(net, shown, shown.pixels, 10.0)
    assert made.shape == (*SIZE, 3)
    x, y = int((face[0] + face[2]) / 2), int((face[1] + face[3]) / 2)
    assert made[y, x, 0] > shown.pixels[y, x, 0]


def test_half_precision(net: HeadNet) -> None:
    shown = photo()
    usual, half = (moved(copy, shown, shown.pixels, 10.0) for copy in (net, net.to(torch.bfloat16)))
    assert np.abs(usual - half).max() <= 1
