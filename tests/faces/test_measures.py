"""Angles and shares of known faces, and the sentences for unfit ones."""

from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.errors import UserError
from hallo_lit.faces import measures


def turned(face: np.ndarray, axis: int, degrees: float) -> np.ndarray:
    """Rotates about the centre, right-handed in x right, y down, z away."""
    angle = np.radians(degrees)
    rotation = np.eye(3)
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    rotation[[a, b, a, b], [a, b, b, a]] = [np.cos(angle), np.cos(angle), -np.sin(angle), np.sin(angle)]
    centre = np.array([200, 300, 0])
    return (face - centre) @ rotation.T + centre


def test_boxes(made_up):
    np.testing.assert_allclose(measures.face_box(made_up), (150, 230, 250, 370))
    np.testing.assert_allclose(measures.lip_box(made_up), (180, 327, 220, 343), atol=0.2)
    assert abs(measures.face_area(made_up) - 14000) < 1


def test_mouth(made_up):
    assert measures.aperture(made_up) == pytest.approx(8 / 80)
    assert measures.lip_width(made_up) == pytest.approx(40 / 80)
    clip = np.stack([made_up, made_up * 3])[..., :2]
    np.testing.assert_allclose(measures.aperture(clip), [0.1, 0.1])


def eyes() -> np.ndarray:
    """Eyes 20 pixels long and 6 open, brows 12 above, irises in the middle."""
    face = np.zeros((478, 2))
    for x, (outer, inner, upper, lower, brow, iris) in (
        (160, (33, 133, 159, 145, 105, 468)),
        (240, (263, 362, 386, 374, 334, 473)),
    ):
        side = -1 if x < 200 else 1
        face[[outer, inner]] = [[x + side * 10, 300], [x - side * 10, 300]]
        face[[upper, lower, brow, iris]] = [[x, 297], [x, 303], [x, 288], [x, 300]]
    return face


@pytest.mark.parametrize("degrees", [0, 30, -50])
def test_eyes_and_brows_of_a_tilted_head(degrees):
    face = eyes()
    face[[468, 473]] += [3, 1]  # a glance to the right, and a little down
    face = turned(np.concatenate([face, np.zeros((478, 1))], 1), 2, degrees)
    assert measures.lid_aperture(face) == pytest.approx(6 / 20)
    assert measures.brow_height(face) == pytest.approx(12 / 100)
    np.testing.assert_allclose(measures.gaze_offset(face), (3 / 20, 1 / 20), atol=1e-9)
    clip = np.stack([face, face * 2])
    assert measures.gaze_offset(clip).shape == (2, 2)
    np.testing.assert_allclose(measures.lid_aperture(clip), 0.3)


@pytest.mark.parametrize("degrees", [-60, -20, 0, 15, 45])
def test_one_angle_at_a_time(made_up, degrees):
    np.testing.assert_allclose(measures.yaw_pitch_roll(turned(made_up, 1, -degrees)), (degrees, 0, 0), atol=1e-6)
    np.testing.assert_allclose(measures.yaw_pitch_roll(turned(made_up, 0, degrees)), (0, degrees, 0), atol=1e-6)
    np.testing.assert_allclose(measures.yaw_pitch_roll(turned(made_up, 2, degrees)), (0, 0, degrees), atol=1e-6)


def test_signs_of_the_angles(made_up):
    nose = np.array([200, 300, -30])
    for axis, degrees, index, coordinate in ((1, -20, 0, 0), (0, 20, 1, 1)):
        face = made_up.copy()
        face[1] = nose
        rotated = turned(face, axis, degrees)
        assert measures.yaw_pitch_roll(rotated)[index] > 0
        assert rotated[1, coordinate] > nose[coordinate]  # turned to the picture's right, or down


def test_angles_need_depth(made_up):
    with pytest.raises(ValueError, match="depth"):
        measures.yaw_pitch_roll(made_up[:, :2])


def test_the_largest_face_or_the_chosen_one(made_up):
    faces = [made_up, made_up * 0.5]
    assert measures.require_face(faces, "a.png") is faces[0]
    assert measures.require_face(faces, "a.png", 1) is faces[1]
    assert measures.require_face([made_up[:, :2]], "a.png") is not None


def test_unfit_faces(made_up):
    for arguments, pattern in (
        (([], "a.png"), "shows no face"),
        (([made_up], "a.png", 1), "no face number 1; it shows 1 face, number 0"),
        (([made_up, made_up], "a.png", -1), r"no face number -1; it shows 2 faces, 0 \(largest\) to 1"),
        (([made_up * 0.25], "a.png"), "too small: 35 pixels high, at least 40"),
        (([turned(made_up, 1, 50)], "a.png"), "in profile: turned by about 50 degrees, at most 40"),
    ):
        with pytest.raises(UserError, match=pattern) as caught:
            measures.require_face(*arguments)
        assert "a.png" in str(caught.value)
        assert ";" in str(caught.value)
    assert measures.require_face([made_up * 0.25], "a.png", min_size=30) is not None
    assert measures.require_face([turned(made_up, 1, 50)], "a.png", max_yaw=60) is not None
