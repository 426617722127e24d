"""Runs that are killed, and what is left of them."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from .command import start
from .small import ALL, EMA, config

WORDS = (ALL, EMA, "data.batch_size=1", "keep=50", "objective.drop_rates.audio=0.3")
STEPS = 60


def wait_for(folder: Path, count: int, process: Any) -> None:
    for _ in range(1200):
        if len(list(folder.glob("step*.ckpt"))) >= count:
            return
        assert process.poll() is None, "ended too early"
        time.sleep(0.05)
    raise AssertionError("no checkpoint was written")


@pytest.fixture(scope="module")
def whole(store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The weights of a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    settings = config(store, *WORDS, "name=undisturbed", f"steps={STEPS}", "save_every=1000")
    result = folder / "whole.safetensors"
    assert start(settings, folder, "whole", result).wait() == 0, (folder / "whole.log").read_text()
    return load_file(result)


def test_a_killed_run_goes_on_to_the_same_bits(store: Path, tmp_path: Path, whole: dict[str, Any]) -> None:
    words = (*WORDS, "name=killed", f"steps={STEPS}", "save_every=2")
    process = start(config(store, *words), tmp_path, "killed")
    folder = store.parent / "out/train/killed/checkpoints"
    wait_for(folder, 2, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(list(folder.glob("step*.ckpt"))) < STEPS // 2
    (folder / ".part-left.ckpt").write_bytes(b"half")
    again = start(config(store, *words, "resume=auto"), tmp_path, "again", tmp_path / "again.safetensors")
    assert again.wait() == 0, (tmp_path / "again.log").read_text()
    after = load_file(tmp_path / "again.safetensors")
    assert set(after) == set(whole)
    assert all(bool((after[name] == tensor).all()) for name, tensor in whole.items())
    assert not list(folder.glob(".part*"))


def test_a_run_asked_to_leave_saves_first(store: Path, tmp_path: Path, whole: dict[str, Any]) -> None:
    words = (*WORDS, "name=left", f"steps={STEPS}", "save_every=2")
    process = start(config(store, *words), tmp_path, "left")
    folder = store.parent / "out/train/left/checkpoints"
    wait_for(folder, 1, process)
    process.terminate()
    assert process.wait() == 143, (tmp_path / "left.log").read_text()
    begun = len(list(folder.glob("step*.ckpt")))
    assert 0 < begun < STEPS // 2 + 1
    again = start(config(store, *words, "resume=auto"), tmp_path, "again", tmp_path / "again.safetensors")
    assert again.wait() == 0, (tmp_path / "again.log").read_text()
    after = load_file(tmp_path / "again.safetensors")
    assert all(bool((after[name] == tensor).all()) for name, tensor in whole.items())
