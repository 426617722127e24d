from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.data.preprocess.probe import Facts, box_in_pixels, facts, objections, window_frames
from hallo_lit.data.preprocess.settings import Filters
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.errors import UserError

FOUND = Facts(640, 360, 30.0, 10.0, 0, False, 9.5, 0.4)


def source(**given) -> Source:
    return Source(Path("a.mp4"), "a.mp4", **given)


def test_facts_of_a_file(face_clip):
    found = facts(face_clip)
    assert (found.width, found.height, found.fps) == (320, 240, 25)
    assert found.seconds == pytest.approx(2, abs=0.05)
    assert found.sound_seconds == pytest.approx(2, abs=0.1)
    assert 0.1 < found.sound_peak <= 1.5
    assert Facts(**found.to_record()).width == 320


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, (0, 238)), ({"start": 1.0}, (25, 238)), ({"start": 1.0, "end": 2.0}, (25, 50)), ({"end": 60.0}, (0, 238))],
)
def test_the_window_ends_with_the_sound(given, expected):
    assert window_frames(source(**given), FOUND) == expected


def test_without_sound_the_window_is_open():
    silent = Facts(640, 360, 30.0, 10.0, 0, False, 0.0, 0.0)
    assert window_frames(source(), silent) == (0, None)


def test_a_window_outside_the_video_is_refused():
    with pytest.raises(UserError, match="nothing is left"):
        window_frames(source(start=9.5, end=12.0), FOUND)


def test_boxes_are_shares_or_pixels():
    assert box_in_pixels(source(), FOUND) is None
    assert box_in_pixels(source(box=(0.25, 0.5, 0.75, 1.0)), FOUND) == (160, 180, 480, 360)
    assert box_in_pixels(source(box=(10.0, 20.0, 200.0, 220.0)), FOUND) == (10, 20, 200, 220)


def test_objections():
    assert objections(FOUND, Filters()) == []
    slow = Facts(640, 360, 1.0, 10.0, 0, False, 0.0, 0.0)
    assert len(objections(slow, Filters())) == 2
    assert len(objections(slow, Filters(sound="optional"))) == 1
