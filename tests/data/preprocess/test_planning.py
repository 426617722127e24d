from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from hallo_lit.data.preprocess.analysis import Analysis
from hallo_lit.data.preprocess.planning import Planner
from hallo_lit.data.preprocess.probe import Facts
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.settings import Clips, Settings
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.data.preprocess.track import Track
from hallo_lit.data.store import StoreSpec, StoreWriter, content_id
from hallo_lit.media.video import read_frames

FOUND = Facts(1280, 720, 25.0, 8.0, 0, False, 8.0, 0.5)
FACE = (100.0, 60.0, 160.0, 140.0)  # in pictures of 360 x 640, half the size of the source


def planner(root: Path, analysis: Analysis, settings: Settings | None = None, **source) -> Planner:
    """One whose first pass an earlier run has already made."""
    settings = settings or Settings()
    made = Planner(Source(Path("a.mp4"), "a.mp4", **source), "ab", FOUND, settings, Records(root))
    key = content_id("ab", settings.analysis_key(), str(made.last))
    made.records.save("analyses", key, analysis.to_record())
    return made


def seen(frames: int, box=FACE) -> Analysis:
    looks = range(0, frames, 5)
    camera = (math.nan, *[0.0] * (len(looks) - 1))
    return Analysis(frames, (360, 640), 5, ((0, frames),), (Track(list(looks), [box] * len(looks)),), camera)


@pytest.fixture
def writer(tmp_path) -> StoreWriter:
    return StoreWriter(tmp_path, StoreSpec())


def test_boxes_are_in_pixels_of_the_source(tmp_path, writer):
    (draft,) = planner(tmp_path, seen(200)).drafts(writer)
    left, top, right, bottom = draft.plan.box
    assert (left + right) / 2 == pytest.approx(260, abs=0.2)
    assert right - left == pytest.approx(160 / 0.62, abs=0.3)
    assert bottom - top == pytest.approx(right - left, abs=0.3)
    assert draft.measured["face"] == 160
    assert draft.measured["seconds"] == 8
    assert not draft.done


def test_ids_depend_on_place_time_and_crop_alone(tmp_path, writer):
    def ids(root: str, settings: Settings | None = None) -> list[str]:
        return [d.plan.id for d in planner(tmp_path / root, seen(200), settings).drafts(writer)]

    assert ids("a") == ids("b")
    assert ids("a") != ids("c", Settings(clips=Clips(max_seconds=5)))
    assert len(set(ids("c", Settings(clips=Clips(max_seconds=5))))) == 2


def test_a_given_box_is_used_as_it_is(tmp_path, writer):
    (draft,) = planner(tmp_path, seen(200), box=(200.0, 100.0, 400.0, 300.0)).drafts(writer)
    assert draft.plan.box == (200, 100, 400, 300)
    assert planner(tmp_path, seen(200), box=(600.0, 100.0, 800.0, 300.0)).drafts(writer) == []


def test_what_was_measured_is_not_measured_again(tmp_path, writer):
    plan = planner(tmp_path, seen(200))
    (draft,) = plan.drafts(writer)
    plan.records.save("clips", draft.plan.id, {"measured": {"seconds": 8.0, "yaw": 3.0}})
    (again,) = plan.drafts(writer)
    assert again.done
    assert again.measured == {"seconds": 8.0, "yaw": 3.0}


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        (seen(12), "12 frames"),
        (Analysis(200, (360, 640), 5, ((0, 200),), (), ()), "no face was found in 8.0 s"),
        (Analysis(200, (360, 640), 5, ((0, 200),), (Track([10], [FACE]),), tuple(np.zeros(40))), "no face is in sight"),
    ],
)
def test_why_there_is_nothing(tmp_path, writer, analysis, words):
    plan = planner(tmp_path, analysis)
    assert plan.drafts(writer) == []
    assert words in plan.nothing()


def test_a_window_holds_the_frames_of_its_time(tmp_path, face_clip):
    whole = list(read_frames(face_clip))
    source = Source(face_clip, "face.mp4", start=1.0, end=1.6)
    found = Facts(320, 240, 25.0, 2.0, 0, False, 2.0, 0.5)
    window = list(Planner(source, "ab", found, Settings(), Records(tmp_path)).frames())
    np.testing.assert_array_equal(np.stack(window), np.stack(whole[25:40]))
