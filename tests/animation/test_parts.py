from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest
import torch
from torch import nn

from hallo_lit.animation import parts as module
from hallo_lit.animation.parts import Parts, fingerprint, weights_digest
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_latents_come_back_to_the_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    latents = torch.randn(4, 2, 8, 8).to(dtype).transpose(0, 1)  # not contiguous
    Parts(tmp_path / "o.mp4", JOB, resume=False).keep(7, latents)
    found = Parts(tmp_path / "o.mp4", JOB, resume=True).finished(7)
    assert found is not None
    assert found.dtype == dtype
    assert torch.equal(found, latents)


def test_a_part_that_was_being_written_does_not_count(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "o.mp4", JOB, resume=False)
    parts.keep(0, torch.randn(2, 4, 8, 8))
    whole = parts.folder / "clip000000.safetensors"
    (parts.folder / "clip000001.partial").write_bytes(whole.read_bytes())
    assert parts.finished(1) is None
    whole.write_bytes(whole.read_bytes()[:-1])
    assert parts.finished(0) is None


@pytest.mark.parametrize("text", ["", "{", "\xff"])
def test_a_damaged_folder_is_named_and_not_continued(tmp_path: Path, text: str) -> None:
    parts = Parts(tmp_path / "o.mp4", JOB, resume=False)
    (parts.folder / "job.json").write_text(text, "latin-1")
    with pytest.raises(UserError, match=r"o\.mp4\.parts is damaged; delete it"):
        Parts(tmp_path / "o.mp4", JOB, resume=True)


def test_every_setting_that_differs_is_named(tmp_path: Path) -> None:
    Parts(tmp_path / "o.mp4", {"a": 1, "b": [1.0, 2.0], "gone": None}, resume=False)
    with pytest.raises(UserError, match=r"\(a, b, new\)"):
        Parts(tmp_path / "o.mp4", {"a": 2, "b": (1.0, 2.5), "new": 1}, resume=True)
    Parts(tmp_path / "o.mp4", {"a": 1, "b": (1.0, 2.0), "gone": None}, resume=True)  # tuples are lists in JSON


def test_a_full_disk_is_told_and_leaves_no_false_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: object, path: Path) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    parts = Parts(tmp_path / "o.mp4", JOB, resume=False)
    monkeypatch.setattr(module, "save_file", full)
    with pytest.raises(UserError, match="the disk is full"):
        parts.keep(0, torch.zeros(1))
    assert parts.finished(0) is None
    assert parts.empty


def test_a_fingerprint_is_the_files_sha256(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 5000)  # more than one block
    assert fingerprint(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_digest_tells_weights_and_their_names_apart() -> None:
    def net(**changes: object) -> nn.Module:
        made = nn.Sequential(nn.Linear(3, 2))
        nn.init.constant_(made[0].weight, 0.5)
        nn.init.constant_(made[0].bias, float(changes.get("bias", 0.0)))  # type: ignore[arg-type]
        return nn.Sequential(made) if changes.get("deeper") else made

    assert weights_digest(net()) == weights_digest(net().bfloat16()) == weights_digest(net().eval())
    assert len({weights_digest(m) for m in (net(), net(bias=1e-6), net(deeper=True))}) == 3
