from __future__ import annotations

import cv2
import numpy as np
import pytest

from hallo_lit.data.preprocess.camera import CameraMotion

FACE = (130.0, 60.0, 190.0, 140.0)


def scene(dx: float = 0, dy: float = 0, zoom: float = 1.0, face: float = 0) -> np.ndarray:
    """A textured wall seen by a camera that moved, and a dark person in front whose place is `face` pixels aside."""
    rng = np.random.default_rng(0)
    wall = cv2.resize(rng.integers(0, 255, (60, 80, 3), np.uint8), (400, 300), interpolation=cv2.INTER_CUBIC)
    matrix = np.array([[zoom, 0, dx + 160 - 200 * zoom], [0, zoom, dy + 120 - 150 * zoom]], np.float64)
    image = cv2.warpAffine(wall, matrix, (320, 240))
    left = round(100 + face)
    image[50:, left : left + 120] = np.random.default_rng(1).integers(0, 60, (190, 120, 3))
    return image


def moves(*images: np.ndarray, box=FACE) -> list[float]:
    camera = CameraMotion()
    for image in images:
        camera.add(image, [box])
    return camera.moves


def test_the_first_look_has_nothing_to_compare_with():
    assert np.isnan(moves(scene())[0])


@pytest.mark.parametrize(("dx", "dy"), [(4, 0), (0, -6), (8, 3)])
def test_a_pan_is_measured_in_picture_widths(dx, dy):
    assert moves(scene(), scene(dx, dy))[1] == pytest.approx(np.hypot(dx, dy) / 320, rel=0.15)


def test_a_still_camera_is_still_although_the_person_moves():
    assert moves(scene(), scene(face=12))[1] < 0.003


def test_zooming_counts():
    assert moves(scene(), scene(zoom=1.05))[1] == pytest.approx(0.05 * np.hypot(160, 120) / 320, rel=0.25)


def test_without_background_the_motion_is_unknown():
    flat = np.full((240, 320, 3), 128, np.uint8)
    assert np.isnan(moves(flat, flat)[1])
    assert np.isnan(moves(scene(), scene(), box=(0.0, 0.0, 320.0, 240.0))[1])
