from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.preprocess.settings import Shots
from hallo_lit.data.preprocess.shots import ShotDetector, cuts, distance, signature


def scene(seed: int) -> np.ndarray:
    """A picture of coloured rectangles, (90, 120, 3)."""
    rng = np.random.default_rng(seed)
    image = np.full((90, 120, 3), rng.integers(30, 225, 3), np.uint8)
    for _ in range(12):
        x, y = rng.integers(0, 100), rng.integers(0, 70)
        image[y : y + 25, x : x + 30] = rng.integers(0, 255, 3)
    return image


def detect(frames: list[np.ndarray]) -> list[tuple[int, int]]:
    detector = ShotDetector()
    for frame in frames:
        detector.add(frame)
    return detector.shots(Shots())


def moving(image: np.ndarray, count: int) -> list[np.ndarray]:
    """The picture with a grey square that wanders, and noise."""
    rng = np.random.default_rng(0)
    frames = []
    for i in range(count):
        frame = np.clip(image.astype(int) + rng.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)
        left = 10 + abs(2 * i % 120 - 60)
        frame[30:60, left : left + 30] = 128
        frames.append(frame)
    return frames


def test_hard_cuts_are_found_to_the_frame():
    frames = moving(scene(1), 30) + moving(scene(2), 41) + moving(scene(3), 25)
    assert detect(frames) == [(0, 30), (30, 71), (71, 96)]


def test_motion_and_noise_are_no_cut():
    assert detect(moving(scene(4), 60)) == [(0, 60)]


def test_a_flash_is_no_cut():
    frames = moving(scene(5), 40)
    frames[20] = np.full_like(frames[20], 250) - frames[20] // 8
    assert detect(frames) == [(0, 40)]


def test_a_dissolve_separates_two_shots_and_belongs_to_neither():
    a, b = moving(scene(6), 60), moving(scene(7), 60)
    mixed = [
        (x * (1 - w) + y * w).astype(np.uint8)
        for x, y, w in zip(a[30:40], b[30:40], np.linspace(0.05, 0.95, 10), strict=True)
    ]
    shots = detect(a[:30] + mixed + b[40:])
    assert [shots[0][0], shots[-1][1]] == [0, 60]
    assert all(end <= 32 or start >= 38 for start, end in shots)
    assert shots[0][1] >= 18
    assert shots[-1][0] <= 52


def test_empty_pictures_belong_to_no_shot():
    black = [np.zeros((90, 120, 3), np.uint8)] * 10
    assert detect(moving(scene(8), 20) + black + moving(scene(8), 20)) == [(0, 20), (30, 50)]


def test_no_frames_no_shots():
    assert detect([]) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([0, 0, 0, 0.5, 0, 0], [3]),
        ([0, 0, 0.5, 0.5, 0, 0], []),  # there and back: a flash
        ([0, 0.1, 0.1, 0.2, 0.1, 0.1], []),  # everything moves
        ([0, 0.6], [1]),
        ([0, 0, 0.14, 0, 0], []),
    ],
)
def test_cuts_tower_above_their_neighbours(steps, expected):
    assert cuts(np.array(steps), Shots()) == expected


def test_distance_is_between_zero_and_one():
    a, b = signature(scene(1)), signature(scene(2))
    assert distance(a, a) == 0
    assert 0.3 < distance(a, b) <= 1
    left, right = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8)
    left[:, :32], right[:, 32:] = 255, 255
    assert distance(signature(left), signature(right)) == pytest.approx(1)  # the same colours elsewhere
