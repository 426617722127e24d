from __future__ import annotations

import cv2
import numpy as np
import pytest

from hallo_lit.data.preprocess.measure import Seen, bridged, measure, motion, sharpness
from hallo_lit.faces.landmarks import FaceLandmarks

from .videos import astronaut


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    with FaceLandmarks(max_faces=1) as landmarks:
        return landmarks.detect(astronaut((256, 256), 150, (128, 120)))[0]


def clip(face: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    return face + np.pad(shifts, ((0, 0), (0, 1)))[:, None]


def test_still_face(face):
    values = measure(Seen(clip(face, np.zeros((50, 2))), 0.5), None)
    assert values["found"] == 1
    assert values["sharpness"] == 0.5
    assert (values["speed"], values["jump"], values["travel"]) == (0, 0, 0)
    assert values["mouth"] == pytest.approx(0, abs=1e-9)
    assert values["yaw"] < 15
    assert "speech" not in values
    assert "sync_r" not in values


def test_motion_is_in_face_heights_and_seconds(face):
    height = float(np.ptp(face[:, 1]))
    steady = motion(clip(face, np.arange(50)[:, None] * [height / 50, 0.0]))
    assert steady["speed"] == pytest.approx(0.5, rel=1e-3)  # a face height in two seconds
    assert steady["travel"] == pytest.approx(49 / 50, rel=1e-3)
    shaking = motion(clip(face, np.array([(0.1 * height * (i % 4 in (1, 2)), 0.0) for i in range(50)])))
    assert shaking["speed"] == pytest.approx(0.1 * 25 / 2, rel=1e-3)
    jump = motion(clip(face, np.array([(height * (i > 20), 0.0) for i in range(50)])))
    assert jump["jump"] == pytest.approx(1, rel=1e-3)


def test_a_turned_head_shows_in_the_angles(face):
    angle = np.radians(30)
    middle = face.mean(axis=0)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    turned = (face - middle) @ turn.T + middle
    before, after = (measure(Seen(clip(f, np.zeros((20, 2))), 1.0), None)["yaw"] for f in (face, turned))
    assert abs(after - before) == pytest.approx(30, abs=12)


def test_a_head_upside_down_is_rolled_and_nothing_else(face):
    around = face * [-1, -1, 1] + [256, 256, 0]
    upright, fallen = (measure(Seen(clip(f, np.zeros((20, 2))), 1.0), None) for f in (face, around))
    assert upright["roll"] < 10
    assert fallen["roll"] > 170
    assert fallen["yaw"] == pytest.approx(upright["yaw"], abs=0.1)
    assert fallen["pitch"] == pytest.approx(upright["pitch"], abs=0.1)


def test_speech_and_its_absence_are_measured(face):
    tone = np.sin(np.arange(32000) / 5).astype(np.float32)
    assert measure(Seen(clip(face, np.zeros((50, 2))), 1.0), tone)["speech"] > 0.95
    assert measure(Seen(clip(face, np.zeros((50, 2))), 1.0), np.zeros(32000, np.float32))["speech"] == 0


def test_no_face_at_all():
    values = measure(Seen(np.full((10, 478, 3), np.nan), 0.0), None)
    assert values == {"found": 0.0, "sharpness": 0.0}


def test_gaps_are_bridged_by_straight_lines(face):
    whole = clip(face, np.arange(20)[:, None] * [2.0, 1.0])
    gappy = whole.copy()
    gappy[[0, 5, 6, 7, 19]] = np.nan
    mended = bridged(gappy)
    np.testing.assert_allclose(mended[5:8], whole[5:8])
    np.testing.assert_array_equal(mended[0], whole[1])
    np.testing.assert_array_equal(mended[19], whole[18])
    np.testing.assert_array_equal(bridged(whole), whole)


def test_sharpness_falls_with_blur_and_enlargement_but_not_with_contrast():
    def of(image: np.ndarray, scale: float = 1.0) -> float:
        corners = np.array([(60.0, 50.0), (196.0, 200.0)]) * scale
        return sharpness(image, corners)

    crisp = astronaut((256, 256), 150, (128, 120))
    blurred = [of(cv2.GaussianBlur(crisp, (0, 0), sigma)) for sigma in (1.0, 2.0, 4.0)]
    assert of(crisp) > blurred[0] > blurred[1] > blurred[2]
    assert of(crisp // 2 + 60) == pytest.approx(of(crisp), abs=0.05)
    small = cv2.resize(crisp, (64, 64), interpolation=cv2.INTER_AREA)
    assert of(cv2.resize(small, (256, 256))) < 0.7 * of(crisp)
    assert of(small, 0.25) < 0.7 * of(crisp)
    assert sharpness(crisp, np.array([(300.0, 300.0), (400.0, 400.0)])) == 0
