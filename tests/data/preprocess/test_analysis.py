from __future__ import annotations

import json

import numpy as np

from hallo_lit.data.preprocess.analysis import Analysis, analyse, shrunk
from hallo_lit.data.preprocess.faces import open_eyes
from hallo_lit.data.preprocess.settings import Settings, Tracking

from .videos import astronaut, swaying


def test_a_face_is_tracked_and_a_cut_found():
    dark = (frame[:, ::-1] // 3 for frame in swaying(20))
    with open_eyes(Tracking()) as eyes:
        found = analyse([*swaying(25), *dark], Settings(), eyes)
    assert (found.frames, found.size, found.every) == (45, (240, 320), 5)
    assert found.shots == ((0, 25), (25, 45))
    assert sum(len(track.frames) for track in found.tracks) == 9
    assert len(found.camera) == 9
    record = found.to_record()
    again = Analysis.from_record(json.loads(json.dumps(record)))
    np.testing.assert_equal(again.to_record(), record)
    assert Analysis.from_record(record).tracks == again.tracks


def test_a_small_face_in_a_large_picture_is_found():
    picture = np.full((540, 960, 3), 90, np.uint8)
    picture[200:400, 600:760] = astronaut((200, 160), face=42, at=(80, 50))
    with open_eyes(Tracking()) as eyes:
        found = analyse([picture] * 12, Settings(), eyes)
    (track,) = [t for t in found.tracks if len(t.frames) == 3]
    left, top, right, bottom = track.boxes[0]
    assert abs((left + right) / 2 - 680) < 12
    assert 30 < bottom - top < 60


def test_nothing_gives_an_empty_analysis():
    with open_eyes(Tracking()) as eyes:
        found = analyse([], Settings(), eyes)
    assert (found.frames, found.shots, found.tracks) == (0, (), ())


def test_pictures_are_shrunk_but_never_enlarged():
    image = np.zeros((100, 300, 3), np.uint8)
    assert shrunk(image, 150).shape == (50, 150, 3)
    assert shrunk(image, 400) is image
