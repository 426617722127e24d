from __future__ import annotations

import math

import numpy as np
import pytest

from hallo_lit.metrics.protocols import face_align


def test_alignment_recovers_a_known_camera():
    camera = np.array([[80.0, 5.0, 0.0, 150.0], [-5.0, 80.0, 0.0, 120.0]])
    up = np.concatenate([face_align.REFERENCE, np.ones((5, 1))], 1) @ camera.T
    found = face_align.align(face_align.flip(up, 240), (240, 320))
    assert (found.tx, found.ty) == pytest.approx((150, 120), abs=1e-9)
    assert found.scale == pytest.approx(102 / math.hypot(80, 5), rel=1e-9)
    assert np.abs(found.points(np.array([[150.0, 120.0]])) - 112).max() < 1
