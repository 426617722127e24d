from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.geometry import brow_line, half_outline, lids
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.landmarks import (
    CONTOUR,
    EXACT,
    EYE_LOWER,
    EYE_UPPER,
    IRIS,
    OUTLINE_SHARE,
    plane_landmarks,
)
from hallo_lit.data.synthetic.mouth import shape
from hallo_lit.faces.regions import FACE_OVAL, OUTER_LIPS

WHO = draw_identity(8)


def test_the_numbers_are_mediapipes():
    assert set(OUTER_LIPS) <= set(EXACT)
    assert set(CONTOUR) < set(FACE_OVAL)
    rest = plane_landmarks(WHO, Controls())
    left, right = rest[33], rest[263]
    assert left[0] < rest[133, 0] < WHO.CENTRE < rest[362, 0] < right[0]
    assert rest[10, 1] < rest[168, 1] < rest[4, 1] < rest[13, 1] <= rest[14, 1] < rest[152, 1]
    np.testing.assert_allclose(left + right, (2 * WHO.CENTRE, 2 * left[1]), atol=0.1)


def test_lips_and_lids_are_the_drawn_curves():
    controls = Controls(open=0.6, width=0.3, blink=0.4)
    points, mouth = plane_landmarks(WHO, controls), shape(WHO, controls)
    assert points[14, 1] - points[13, 1] == pytest.approx(mouth.gap)
    assert points[291, 0] - points[61, 0] == pytest.approx(2 * mouth.half)
    assert points[0, 1] == pytest.approx(mouth.outer_upper[30])
    assert points[17, 1] == pytest.approx(mouth.outer_lower[30])
    for k, side in enumerate((-1, 1)):
        eye = lids(WHO, side, 0.4)
        for rows, edge in ((EYE_UPPER[k], eye.upper), (EYE_LOWER[k], eye.lower)):
            np.testing.assert_allclose(points[list(rows), 1][1:-1], np.interp(points[list(rows), 0], eye.x, edge)[1:-1])


def test_the_contour_lies_just_inside_the_outline():
    points = plane_landmarks(WHO, Controls())[list(CONTOUR)]
    half = half_outline(WHO)
    width = np.interp(points[:, 1], half[:, 1], half[:, 0])
    sides = points[:, 1] < WHO.mouth_y
    np.testing.assert_allclose(np.abs(points[sides, 0] - WHO.CENTRE) / width[sides], OUTLINE_SHARE, atol=0.02)


def test_brows_rise_and_irises_follow_the_gaze():
    rest, raised = plane_landmarks(WHO, Controls()), plane_landmarks(WHO, Controls(brow=1.0, gaze_x=0.8))
    assert (rest[[105, 334], 1] - raised[[105, 334], 1] > 4).all()
    assert rest[105, 1] < brow_line(WHO, -1, np.array(0.66))[1]
    for centre, *_ in IRIS:
        assert raised[centre, 0] - rest[centre, 0] == pytest.approx(4.0)


def test_the_chin_follows_the_jaw():
    rest, wide = plane_landmarks(WHO, Controls()), plane_landmarks(WHO, Controls(open=1.0))
    assert wide[152, 1] - rest[152, 1] > 15
    assert np.abs(wide[10] - rest[10]).max() < 0.1


def test_the_lip_meshes_stay_between_their_borders():
    points = plane_landmarks(WHO, Controls(open=0.8))
    for top, upper, lower, bottom in ((0, 11, 12, 13), (14, 15, 16, 17)):
        assert points[top, 1] < points[upper, 1] < points[lower, 1] < points[bottom, 1]
