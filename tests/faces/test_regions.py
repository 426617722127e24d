"""Region masks: the original's to the bit (golden vectors recorded from it), and ours at any shape."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file

from hallo_lit.faces import regions

GOLDEN = Path(__file__).parents[1] / "golden" / "masks"
CASES = json.loads((GOLDEN / "masks.json").read_text())
VECTORS = load_file(GOLDEN / "masks.safetensors")


def picture(name: str) -> np.ndarray:
    return cv2.imread(str(GOLDEN / name), cv2.IMREAD_GRAYSCALE)


def face_at(x: float, y: float, width: float, height: float) -> np.ndarray:
    """478 points whose face oval spans the given box and whose lips span its lower middle."""
    points = np.full((478, 2), (x, y), float)
    points[list(regions.FACE_OVAL)] += np.linspace(-0.5, 0.5, 36)[:, None] * (width, height)
    points[list(regions.OUTER_LIPS)] += (0, height / 4) + np.linspace(-0.5, 0.5, 20)[:, None] * (width / 3, height / 8)
    return points


@pytest.mark.parametrize("name", CASES["cases"])
def test_inference_masks_equal_the_original(name):
    case, landmarks = CASES["cases"][name], VECTORS[f"in.{name}.landmarks_f64"]
    masks = regions.released_masks(landmarks, case["size"], case["face_ratio"])
    lips = regions.released_rectangle(landmarks, regions.OUTER_LIPS, case["size"], 2.0)
    np.testing.assert_array_equal(masks.locator, picture(f"{name}_face.png"))
    np.testing.assert_array_equal(lips, picture(f"{name}_lip.png"))
    np.testing.assert_array_equal(
        regions.released_blur(masks.locator, regions.FACE_KERNEL), VECTORS[f"out.{name}.face_mask_blur"]
    )
    for mask, key in zip(masks.regions, ("sep_background", "sep_face", "sep_lip"), strict=True):
        np.testing.assert_array_equal(mask, VECTORS[f"out.{name}.{key}"])


def test_union_masks_equal_the_original():
    case, landmarks = CASES["union"], VECTORS["in.union.landmarks_f64"]
    masks = regions.union_masks(landmarks, case["size"], case["ratio"])
    np.testing.assert_array_equal(masks.locator, picture("union_face.png"))
    np.testing.assert_array_equal(
        regions.union_rectangle(landmarks, regions.OUTER_LIPS, case["size"]), picture("union_lip.png")
    )
    for mask, key in zip(masks.regions, ("sep_pose", "sep_face", "sep_lip"), strict=True):
        np.testing.assert_array_equal(mask, VECTORS[f"out.union.{key}"])


def test_ours_resemble_the_original_on_a_square_portrait():
    landmarks = VECTORS["in.1_x1.2.landmarks_f64"]
    released = regions.released_masks(landmarks, (1432, 1432))
    ours = regions.region_masks(landmarks, (1432, 1432), mask_size=(64, 64))
    assert np.abs(ours.regions.astype(int) - released.regions).max() <= 16
    np.testing.assert_array_equal(ours.locator.shape, released.locator.shape)
    assert np.mean(ours.locator != released.locator) < 0.002


@pytest.mark.parametrize("size", [(512, 512), (320, 640), (640, 320), (96, 72)])
def test_ours_follow_height_and_width(size):
    height, width = size
    side = min(size) * 0.5
    landmarks = face_at(width * 0.4, height * 0.45, side, side)
    masks = regions.region_masks(landmarks, size)
    pose, face, lip = masks.regions.astype(int)
    assert masks.regions.shape == (3, height // 8, width // 8)
    assert lip.max() == 255
    assert pose.min() == 0
    np.testing.assert_array_equal(pose + face, np.where(lip < 255 - pose, 255 - lip, pose))
    rows, columns = np.nonzero(masks.locator)
    assert abs((columns.min() + columns.max()) / 2 - width * 0.4) <= 1
    assert abs((rows.min() + rows.max()) / 2 - height * 0.45) <= 1
    assert abs(columns.max() - columns.min() - side * 1.2) <= 2
    lip_row, lip_column = np.unravel_index(lip.argmax(), lip.shape)
    assert abs((lip_row + 0.5) * 8 - (height * 0.45 + side / 4)) <= 8
    assert abs((lip_column + 0.5) * 8 - width * 0.4) <= 8


def test_softness_is_the_same_down_and_across():
    landmarks = face_at(400, 200, 120, 120)
    face = regions.region_masks(landmarks, (400, 800), face_ratio=1.0, mask_size=(100, 200)).regions[0].astype(int)
    down, across = face[:, 100], face[50]
    np.testing.assert_allclose(down[50:], across[100:150], atol=8)


def test_a_box_that_outgrows_the_picture_is_clipped():
    landmarks = face_at(60, 60, 110, 110)
    released = regions.released_masks(landmarks, (120, 120), 2.0)
    ours = regions.region_masks(landmarks, (120, 120), face_ratio=2.0)
    assert ours.locator.min() == 255
    assert ours.regions[0].max() == 0
    assert released.locator.min() == 0  # the original loses part of the face here


def test_frames_of_a_clip_share_one_box():
    clip = np.stack([face_at(100, 100, 60, 60), face_at(130, 100, 60, 60)])
    both = regions.region_masks(clip, (256, 256), face_ratio=1.0).locator
    first = regions.region_masks(clip[0], (256, 256), face_ratio=1.0).locator
    second = regions.region_masks(clip[1], (256, 256), face_ratio=1.0).locator
    np.testing.assert_array_equal(both, np.maximum(first, second))


def test_landmarks_outside_the_picture_are_refused():
    with pytest.raises(ValueError, match="outside"):
        regions.region_masks(face_at(-500, 50, 40, 40), (100, 100))


@pytest.mark.parametrize("turn", [0.0, 30.0])
def test_talking_is_below_the_nose(turn):
    """Mouth and jaw, and the chin where an open mouth takes it; eyes and cheekbones stay, however the head is held."""
    angle, rotation = np.radians(turn), np.array([[100.0, 110.0]])
    jaw = (58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288)
    around = np.linspace(np.pi, 0, len(jaw))
    points = np.full((478, 2), [100.0, 130.0])
    points[list(jaw)] = np.stack([100 + 45 * np.cos(around), 130 + 40 * np.sin(around)], 1)
    points[10], points[2] = (100, 70), (100, 125)
    places = np.array([[100, 150], [70, 140], [100, 178], [100, 100], [62, 105], [100, 198], [30, 150]], float)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points, places = ((given - rotation) @ matrix + rotation for given in (points, places))
    mask = regions.speech_mask(points, (220, 200))
    assert mask.shape == (220, 200)
    found = [float(mask[round(y), round(x)]) for x, y in places]
    assert [value > 0.5 for value in found] == [True, True, True, False, False, False, False]
    assert 0 <= mask.min() < mask.max() <= 1.0001
