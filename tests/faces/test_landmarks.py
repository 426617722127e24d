"""Faces are found where they are, at any size, and nowhere else."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
import skimage.data

from hallo_lit.errors import UserError
from hallo_lit.faces.landmarks import FaceLandmarks, aperture, face_box, require_face, yaw_pitch_roll

HALF = (100, 0, 372, 272)  # around the astronaut's head


def error(face: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance in shares of the face's width."""
    return float(np.linalg.norm(face[:, :2] - truth[:, :2], axis=1).mean() / np.ptp(truth[:, 0]))


def scene(size: tuple[int, int], placed: list[tuple[np.ndarray, int, int]]) -> np.ndarray:
    canvas = cv2.resize(skimage.data.coffee(), (size[1], size[0]))
    for picture, x, y in placed:
        canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return canvas


def test_a_portrait(portrait, found):
    left, top, right, bottom = face_box(found)
    assert 170 < left < 190
    assert 60 < top < 80
    assert 260 < right < 280
    assert 165 < bottom < 190
    yaw, _, roll = yaw_pitch_roll(found)
    assert abs(yaw) < 8
    assert abs(roll) < 8
    assert 0.05 < aperture(found) < 0.3  # she smiles
    assert require_face([found], "astronaut.png") is found


@pytest.mark.parametrize("scale", [0.5, 2.0, 5.0])
def test_any_size_of_picture(detector, portrait, found, scale):
    resized = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    (face,) = detector.detect(resized)
    assert error(face / scale, found) < 0.02


@pytest.mark.parametrize("share", [0.12, 0.06, 0.03])
def test_small_faces_in_large_pictures(detector, portrait, found, share):
    head = portrait[HALF[1] : HALF[3], HALF[0] : HALF[2]]
    size = round(np.ptp(found[:, 1]) / share)
    (face,) = detector.detect(scene((size, size), [(head, size // 4, size // 2)]))
    assert error(face - (size // 4 - HALF[0], size // 2 - HALF[1], 0), found) < 0.02


def test_a_face_that_fills_the_picture(detector, portrait, found):
    left, top, right, bottom = (round(edge) for edge in face_box(found))
    (face,) = detector.detect(np.ascontiguousarray(portrait[top:bottom, left:right]))
    assert error(face + np.array([left, top, 0]), found) < 0.03


@pytest.mark.parametrize("change", [lambda p: p // 10, lambda p: 210 + p // 8], ids=["dark", "faint"])
def test_pictures_with_little_contrast(detector, portrait, found, change):
    (face,) = detector.detect(change(portrait).astype(np.uint8))
    assert error(face, found) < 0.03


def test_several_faces_come_in_the_order_of_size(detector, portrait):
    head = portrait[HALF[1] : HALF[3], HALF[0] : HALF[2]]
    middle, small = (cv2.resize(head, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) for k in (0.8, 0.6))
    faces = detector.detect(scene((480, 760), [(small, 20, 300), (head, 240, 100), (middle, 530, 50)]))
    assert [round(face_box(face)[0]) // 100 for face in faces] == [3, 5, 0]
    for face, scale in zip(faces, (1, 0.8, 0.6), strict=True):
        assert abs(np.ptp(face[:, 1]) / np.ptp(faces[0][:, 1]) - scale) < 0.03
    with FaceLandmarks(max_faces=1) as single:
        (face,) = single.detect(scene((480, 760), [(small, 20, 300), (head, 240, 100)]))
        assert error(face, faces[0]) < 0.03


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "grass", "moon"])
def test_no_face(detector, name):
    picture = getattr(skimage.data, name)()
    picture = np.ascontiguousarray(np.broadcast_to(picture.reshape(*picture.shape[:2], -1), (*picture.shape[:2], 3)))
    assert detector.detect(picture) == []
    with pytest.raises(UserError, match="shows no face"):
        require_face([], f"{name}.png")


def test_noise_and_nothing(detector):
    assert detector.detect(np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)) == []
    for side in (1, 40):
        assert detector.detect(np.zeros((side, side, 3), np.uint8)) == []


def test_a_profile_is_refused(detector):
    picture = np.repeat(skimage.data.camera()[..., None], 3, axis=2)
    with pytest.raises(UserError, match=r"in profile|no face"):
        require_face(detector.detect(picture), "camera.png")


def test_video_frames_are_followed(portrait, found):
    with FaceLandmarks(static=False, max_faces=1) as follower:
        for shift in range(0, 40, 5):
            frame = np.roll(portrait, shift, axis=1)
            (face,) = follower.detect(frame)
            assert error(face - (shift, 0, 0), found) < 0.05
        assert follower.detect(np.zeros_like(portrait)) == []


def test_unknown_backend():
    with pytest.raises(ValueError, match="face_mesh or face_landmarker"):
        FaceLandmarks("dlib")


def test_mediapipe_is_imported_late_and_keeps_quiet():
    script = """
import sys
from hallo_lit.faces.landmarks import FaceLandmarks
assert "mediapipe" not in sys.modules
import skimage.data
with FaceLandmarks() as detector:
    assert len(detector.detect(skimage.data.astronaut())) == 1
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
