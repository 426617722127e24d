"""Known movements come out as head or as expression."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hallo_lit.evaluation.figures.flow import FPS, motion

SIDE = 96


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    noise = np.random.RandomState(0).random_sample((SIDE, SIDE, 3))
    smooth = gaussian_filter(noise, (2.5, 2.5, 0))
    return ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)


RIGID = np.zeros((SIDE, SIDE))
RIGID[20:50, 20:76] = 1


def test_a_shift_is_the_heads(texture: np.ndarray) -> None:
    film = np.stack([np.roll(texture, i, 1) for i in range(5)])
    found = motion(film, RIGID)
    inside = (slice(20, 76), slice(20, 76))
    per_second = FPS / SIDE * 100
    assert found.head[inside].mean() == pytest.approx(per_second, rel=0.1)
    assert found.face[inside].mean() < 0.15 * per_second


def test_a_turn_is_the_heads(texture: np.ndarray) -> None:
    turns = [cv2.getRotationMatrix2D((48, 48), angle, 1.0) for angle in range(4)]
    film = np.stack([cv2.warpAffine(texture, turn, (SIDE, SIDE)) for turn in turns])
    found = motion(film, RIGID)
    inside = (slice(30, 66), slice(30, 66))
    assert found.face[inside].mean() < 0.3 * found.head[inside].mean()


def test_what_moves_alone_is_expression(texture: np.ndarray) -> None:
    film = np.stack([texture.copy() for _ in range(5)])
    for i, frame in enumerate(film):
        frame[60:80, 30:66] = np.roll(texture, i, 1)[60:80, 30:66]
    found = motion(film, RIGID)
    assert found.head.max() < 0.05 * found.face[62:78, 34:62].mean()
    assert found.means()["expression"] == pytest.approx(found.means()["all"], rel=0.05)


@pytest.mark.parametrize("frames", [1, 3])
def test_a_still_picture_does_not_move(texture: np.ndarray, frames: int) -> None:
    found = motion(np.stack([texture] * frames), RIGID)
    assert found.everything[16:-16, 16:-16].max() < 0.1  # at the border the method sees a little of nothing
    assert max(found.means().values()) < 0.2


def test_without_a_face_nothing_is_called_head(texture: np.ndarray) -> None:
    film = np.stack([np.roll(texture, i, 1) for i in range(3)])
    found = motion(film, np.zeros((SIDE, SIDE)))
    assert found.head.max() == 0
    assert found.face.mean() > 0
