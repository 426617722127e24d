from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hallo_lit.animation.parts import Parts
from hallo_lit.errors import UserError

JOB = {"seed": 1, "config": {"frames": 4}}


def test_finished_clips_are_found_again(tmp_path: Path) -> None:
    out = tmp_path / "o.mp4"
    parts, latents = Parts(out, JOB, resume=False), torch.randn(4, 4, 8, 8)
    assert parts.empty
    parts.keep(0, latents)
    (parts.folder / "clip000001.safetensors").write_bytes(b"half")
    (parts.folder / ".o.12345678.part").write_bytes(b"left by a killed process")
    again = Parts(out, JOB, resume=True)
    found = again.finished(0)
    assert found is not None
    assert torch.equal(found, latents)
    assert again.finished(1) is None
    assert not again.empty
    assert not list(again.folder.glob(".*.part"))
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_starting_anew_forgets(tmp_path: Path) -> None:
    Parts(tmp_path / "o.mp4", JOB, resume=False).keep(0, torch.zeros(1))
    assert Parts(tmp_path / "o.mp4", {**JOB, "seed": 2}, resume=False).empty


def test_another_job_is_not_continued(tmp_path: Path) -> None:
    Parts(tmp_path / "o.mp4", JOB, resume=False).keep(0, torch.zeros(1))
    with pytest.raises(UserError, match=r"other settings \(seed\)"):
        Parts(tmp_path / "o.mp4", {**JOB, "seed": 2}, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path, resume: bool) -> None:
    mine = tmp_path / "o.mp4.parts" / "diary.txt"
    mine.parent.mkdir()
    mine.write_text("dear")
    with pytest.raises(UserError, match="none of ours"):
        Parts(tmp_path / "o.mp4", JOB, resume)
    assert mine.read_text() == "dear"


@pytest.mark.parametrize("resume", [False, True])
def test_an_empty_folder_is_used(tmp_path: Path, resume: bool) -> None:
    (tmp_path / "o.mp4.parts").mkdir()
    Parts(tmp_path / "o.mp4", JOB, resume).keep(0, torch.zeros(1))
    assert not Parts(tmp_path / "o.mp4", JOB, resume=True).empty
