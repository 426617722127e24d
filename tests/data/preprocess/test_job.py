from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.data.preprocess import job as module
from hallo_lit.data.preprocess.job import Job, common, overall, stamp, work
from hallo_lit.data.preprocess.probe import facts
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.settings import Features, Settings
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.errors import UserError


@pytest.fixture
def job(tmp_path) -> Job:
    (tmp_path / "a.mp4").write_bytes(b"not a video")
    source = Source(tmp_path / "a.mp4", "a.mp4")
    return Job(source, tmp_path / "store", Settings(features=Features(audio=None, identity=None)))


def clip(verdict: str, *reasons: str) -> dict:
    return {"verdict": verdict, "reasons": list(reasons)}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["rejected", "kept"], "kept"),
        (["rejected", "undecided"], "undecided"),
        (["rejected"], "rejected"),
        ([], "rejected"),
    ],
)
def test_the_best_clip_decides(verdicts, expected):
    assert overall([clip(verdict) for verdict in verdicts]) == expected


def test_reasons_are_told_once_and_only_when_needed():
    assert common([clip("rejected", "a", "b"), clip("rejected", "b")]) == ["a", "b"]
    assert common([clip("rejected", "a"), clip("kept")]) == []


def test_keys_tell_inputs_and_people_apart(job):
    other = Job(Source(job.source.path, "a.mp4", start=1.0), job.root, job.settings)
    named = Job(Source(job.source.path, "a.mp4", identity="Ann"), job.root, job.settings)
    assert other.key != job.key == named.key
    assert named.settings_key != job.settings_key


def test_what_an_input_provokes_is_in_its_line(job, monkeypatch):
    assert work(job)["verdict"] == "unreadable"

    def stumble(*_args):
        raise ZeroDivisionError("by a strange file")

    monkeypatch.setattr(module, "_process", stumble)
    line = work(Job(Source(job.source.path, "a.mp4", start=2.0), job.root, job.settings))
    assert line["verdict"] == "unreadable"
    assert "ZeroDivisionError" in line["reasons"][0]
    assert "by a strange file" in line["reasons"][0]


def test_an_unexpected_failure_is_tried_again_and_an_expected_one_is_not(job, monkeypatch):
    work(job)
    records = Records(job.root)
    assert records.load("inputs", job.key)["line"]["verdict"] == "unreadable"
    monkeypatch.setattr(module, "_process", lambda *_: 1 / 0)
    other = Job(Source(job.source.path, "a.mp4", start=2.0), job.root, job.settings)
    work(other)
    assert records.load("inputs", other.key) is None


def test_a_full_disk_is_everybodys_problem(job, monkeypatch):
    def full(*_args):
        raise UserError("cannot write") from OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_process", full)
    with pytest.raises(UserError, match="No space left"):
        work(job)


def test_a_file_that_is_not_there(tmp_path):
    gone = Job(Source(tmp_path / "gone.mp4", "gone.mp4"), tmp_path / "store", Settings())
    assert "does not exist" in work(gone)["reasons"][0]
    assert stamp(Path("/nowhere/at/all")) is None


def test_windows_of_one_file_share_what_is_found_of_the_whole(tmp_path, face_clip, monkeypatch):
    asked: list[Path] = []
    settings = Settings(features=Features(audio=None, identity=None))
    monkeypatch.setattr(module, "facts", lambda path: asked.append(path) or facts(path))
    for start, end in ((0.0, 0.88), (1.0, 1.8), (5.0, 6.0)):
        source = Source(face_clip, "face.mp4", start=start, end=end)
        line = work(Job(source, tmp_path / "store", settings))
        if start < 2:
            assert line["video"]["seconds"] == pytest.approx(2, abs=0.1)
            (clip,) = line["clips"]
            assert (clip["start"], clip["end"]) == (start, end)
        else:
            assert "nothing is left between 5 s and 2" in line["reasons"][0]
    assert len(asked) == 1
    thumbs = {path.read_bytes() for path in (tmp_path / "store/preprocess/thumbs").rglob("*.jpg")}
    assert len(thumbs) >= 2  # of the first picture of either window
