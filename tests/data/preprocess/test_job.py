from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.data.preprocess import job as module
from hallo_lit.data.preprocess.job import Job, common, overall, stamp, work
from hallo_lit.data.preprocess.probe import facts
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.settings import Features, Settings
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.data.store_writer import unwritten
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


def test_a_file_that_may_not_be_read_has_its_line_and_is_tried_again(job, monkeypatch):
    """Neither size nor time stamp tell when its rights change."""

    def refuse(*_args):
        raise PermissionError(13, "Permission denied", str(job.source.path))

    with monkeypatch.context() as patch:
        patch.setattr(module, "content_id", lambda *parts: refuse() if isinstance(parts[0], Path) else "00" * 16)
        line = work(job)
    assert line["verdict"] == "unreadable"
    assert line["reasons"] == [f"{job.source.path} cannot be read (Permission denied); check the file and its rights"]
    assert Records(job.root).load("inputs", job.key) is None
    assert "is not a video" in work(job)["reasons"][0]
    assert Records(job.root).load("inputs", job.key) is not None


@pytest.mark.parametrize("cause", [None, PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_only_what_concerns_the_file_itself_is_remembered(job, monkeypatch, cause):
    def stumble(*_args):
        raise UserError("It cannot be opened.") from cause

    monkeypatch.setattr(module, "_process", stumble)
    assert work(job)["reasons"] == ["It cannot be opened"]
    assert (Records(job.root).load("inputs", job.key) is None) == (cause is not None)


def test_only_the_first_line_of_a_message_is_told(job, monkeypatch):
    def stumble(*_args):
        raise RuntimeError("\n\n  no memory \nframe #0: somewhere")

    monkeypatch.setattr(module, "_process", stumble)
    (reason,) = work(job)["reasons"]
    assert reason.endswith(": no memory")


def test_a_bad_line_about_a_file_does_not_hide_a_good_one(job):
    bad = Job(Source(job.source.path, "a.mp4", fault="The table's line cannot be used."), job.root, job.settings)
    assert bad.key != job.key
    assert work(bad)["reasons"] == ["The table's line cannot be used."]


def test_a_name_with_a_null_byte_is_no_file():
    assert stamp(Path("a\0.mp4")) is None


def test_nobody_clears_what_is_in_the_making_during_work(job, monkeypatch):
    def look(*_args):
        with unwritten(job.root) as free:
            assert not free
        raise UserError("Seen.")

    monkeypatch.setattr(module, "_process", look)
    assert work(job)["reasons"] == ["Seen"]
    with unwritten(job.root) as free:
        assert free


def test_a_store_that_cannot_be_written_is_everybodys_problem(job):
    job.root.touch()
    with pytest.raises(UserError, match="cannot be written"):
        work(job)
