from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.preprocess.faces import follow_face, open_eyes
from hallo_lit.data.preprocess.settings import Tracking
from hallo_lit.data.preprocess.track import box_of
from hallo_lit.errors import UserError

from .videos import astronaut, swaying


def test_eyes_find_every_face():
    pair = np.concatenate([astronaut((240, 240), 110, (120, 115)), astronaut((240, 240), 100, (120, 120))[:, ::-1]], 1)
    with open_eyes(Tracking()) as eyes:
        boxes = sorted(box_of(face) for face in eyes.find(pair))
        assert len(boxes) == 2
        assert boxes[0][2] < 240 < boxes[1][0]
        assert eyes.find(np.zeros((240, 320, 3), np.uint8)) == []


def test_a_face_is_followed_through_a_clip():
    with follow_face(Tracking()) as see:
        middles = [see(frame)[:, 0].mean() for frame in swaying(15)]
        assert see(np.zeros((240, 320, 3), np.uint8)) is None
    assert np.ptp(middles) == pytest.approx(5, abs=2.5)


def test_the_task_file_must_exist():
    with pytest.raises(UserError, match="task"), follow_face(Tracking(backend="face_landmarker")):
        pass
