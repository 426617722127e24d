from __future__ import annotations

import itertools
import math

import pytest

from hallo_lit.data.preprocess import segments as module
from hallo_lit.data.preprocess.analysis import Analysis
from hallo_lit.data.preprocess.segments import divide, segments
from hallo_lit.data.preprocess.settings import Clips
from hallo_lit.data.preprocess.track import Track

BOX = (100.0, 100.0, 160.0, 180.0)
NAN = float("nan")


def track(frames: list[int], box: tuple[float, ...] = BOX) -> Track:
    return Track(list(frames), [box] * len(frames))  # type: ignore[list-item]


def analysis(frames: int, *tracks: Track, shots: list[tuple[int, int]] | None = None, camera: float = 0.0) -> Analysis:
    looks = math.ceil(frames / 5)
    return Analysis(frames, (240, 320), 5, tuple(shots or [(0, frames)]), tracks, tuple([NAN] + [camera] * (looks - 1)))


def spans(found: Analysis) -> list[tuple[int, int]]:
    return [(s.start, s.end) for s in segments(found, Clips(), 0.61)]


def test_a_face_in_sight_all_the_time_fills_its_shot():
    assert spans(analysis(100, track(range(0, 100, 5)))) == [(0, 100)]


def test_cuts_divide_a_face_that_goes_on():
    found = analysis(150, track(range(0, 150, 5)), shots=[(0, 52), (52, 150)])
    assert spans(found) == [(0, 52), (52, 150)]


def test_a_face_that_leaves_ends_the_clip_where_it_was_last_seen():
    assert spans(analysis(100, track(range(0, 60, 5)))) == [(0, 56)]


def test_a_face_that_comes_late_starts_the_clip():
    assert spans(analysis(100, track(range(40, 100, 5)))) == [(40, 100)]


def test_short_gaps_are_bridged_and_long_ones_are_not():
    frames = [f for f in range(0, 200, 5) if f not in (50, 55) and not 100 <= f < 130]
    assert spans(analysis(200, track(frames))) == [(0, 96), (130, 200)]


def test_clips_shorter_than_17_frames_are_left_out():
    assert spans(analysis(16, track(range(0, 16, 5)))) == []
    assert spans(analysis(17, track(range(0, 17, 5)))) == [(0, 17)]


def test_two_faces_make_two_clips_that_know_of_each_other():
    small = track(range(0, 100, 5), (200.0, 100.0, 230.0, 140.0))
    first, second = segments(analysis(100, small, track(range(0, 100, 5))), Clips(), 0.61)
    assert (first.other_face, second.other_face) == (pytest.approx(0.5), pytest.approx(2.0))


def test_a_face_passing_by_does_not_count():
    passing = track([20, 25, 30], (200.0, 100.0, 230.0, 180.0))
    (main,) = [s for s in segments(analysis(200, passing, track(range(0, 200, 5))), Clips(), 0.61) if s.frames > 100]
    assert main.other_face == 0


def test_camera_motion_is_per_second_and_of_the_clip_alone():
    found = Analysis(
        100, (240, 320), 5, ((0, 50), (50, 100)), (track(range(0, 100, 5)),), (NAN, *[0.01] * 9, 0.9, *[0.0] * 9)
    )
    first, second = segments(found, Clips(), 0.61)
    assert first.camera == pytest.approx(0.05)
    assert second.camera == 0  # the step over the cut belongs to neither


def test_unknown_camera_motion_is_none():
    (only,) = segments(analysis(60, track(range(0, 60, 5)), camera=NAN), Clips(), 0.61)
    assert only.camera is None


def test_only_faces_in_the_given_box():
    other = track(range(0, 100, 5), (200.0, 20.0, 260.0, 90.0))
    found = analysis(100, other, track(range(0, 100, 5)))
    (only,) = segments(found, Clips(), 0.61, inside=(90, 90, 180, 200))
    assert only.boxes[0] == BOX


@pytest.mark.parametrize("frames", [17, 499, 500, 501, 1000, 1733])
def test_long_stretches_are_divided_evenly(frames):
    pieces = divide(7, 7 + frames, Clips(max_seconds=20))
    assert pieces[0][0] == 7
    assert pieces[-1][1] == 7 + frames
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))
    lengths = [b - a for a, b in pieces]
    assert max(lengths) <= 500
    assert max(lengths) - min(lengths) <= 1


def test_fast_motion_is_cut_out():
    boxes = [(100.0 + 60 * max(0, i - 10) * (i < 14) + 180 * (i >= 14), 100.0, 160.0, 180.0) for i in range(24)]
    moving = Track(list(range(0, 120, 5)), [(x, y, x + 60, b) for x, y, _, b in boxes])
    found = segments(analysis(120, moving), Clips(max_travel=9), 0.61)
    assert [(s.start, s.end) for s in found] == [(0, 51), (65, 120)]


def test_a_face_that_wanders_far_gets_a_new_crop():
    wandering = Track(list(range(0, 200, 5)), [(100.0 + 4 * i, 100.0, 160.0 + 4 * i, 180.0) for i in range(40)])
    found = segments(analysis(200, wandering), Clips(max_travel=1.0), 0.61)
    assert len(found) == 2
    assert all(max(b[0] for b in s.boxes) - min(b[0] for b in s.boxes) <= 80 for s in found)


def test_work_grows_with_the_length_and_not_with_its_square(monkeypatch):
    """Many shots, each with a face of its own beside one that is in sight all the time."""
    asked: list[int] = []
    seen = module._seen
    monkeypatch.setattr(module, "_seen", lambda *args: asked.append(1) or seen(*args))

    def work(shots: int) -> int:
        asked.clear()
        frames, edges = 100 * shots, [(100 * i, 100 * i + 100) for i in range(shots)]
        small = (200.0, 100.0, 230.0, 180.0)
        faces = [track(range(0, frames, 5)), *(track(range(a, b, 5), small) for a, b in edges)]
        found = segments(analysis(frames, *faces, shots=edges), Clips(), 0.61)
        assert len(found) == 2 * shots
        assert all(segment.other_face == 1 for segment in found)
        return len(asked)

    assert work(80) <= 2.2 * work(40)


@pytest.mark.parametrize("shots", [[(20, 60)], [(0, 20), (60, 100)], [(0, 30), (40, 100)]])
def test_shots_may_leave_holes(shots):
    assert spans(analysis(100, track(range(0, 100, 5)), shots=shots)) == shots
