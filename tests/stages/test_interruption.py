"""Runs that are killed, and what is left of them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint
from hallo_lit.stages.running import train

from .command import start
from .small import ALL, EMA, config

STEPS = 24
WORDS = (ALL, EMA, "data.batch_size=1", "keep=50", "objective.drop_rates.audio=0.3", f"steps={STEPS}", "save_every=2")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As the other processes have; sums in another order would be other bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def state(settings: dict[str, Any]) -> dict[str, Any]:
    last = checkpoint_in(Path(settings["run_dir"]))
    assert last.name == f"step{STEPS:07d}.ckpt"
    return torch.load(last, weights_only=True)


@pytest.fixture(scope="module")
def whole(store: Path) -> dict[str, Any]:
    """The last checkpoint of a run that nobody disturbed."""
    torch.set_num_threads(1)
    settings = config(store, *WORDS, "name=undisturbed")
    train(settings)
    return state(settings)


def interrupted(settings: dict[str, Any], logs: Path, number: signal.Signals) -> int:
    """Sends the signal once a checkpoint is there; the exit status."""
    process = start(settings, logs, settings["name"])
    folder = Path(settings["run_dir"]) / "checkpoints"
    while len(list(folder.glob("step*.ckpt"))) < 1:
        assert process.poll() is None, (logs / f"{settings['name']}.log").read_text()
        time.sleep(0.02)
    process.send_signal(number)
    status = process.wait()
    assert read_checkpoint(checkpoint_in(folder.parent)).step < STEPS
    return status


def check_same_bits(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for part in ("state_dict", "current_model_state"):
        assert set(ours[part]) == set(theirs[part])
        assert all(torch.equal(tensor, theirs[part][name]) for name, tensor in ours[part].items())
    moments, again = (state["optimizer_states"][0]["state"] for state in (ours, theirs))
    assert set(moments) == set(again)
    for key, values in moments.items():
        assert all(torch.equal(values[name], again[key][name]) for name in ("exp_avg", "exp_avg_sq", "step"))
    assert ours["ClipDataModule"]["sampler"] == theirs["ClipDataModule"]["sampler"]


def test_a_killed_run_goes_on_to_the_same_bits(store: Path, tmp_path: Path, whole: dict[str, Any]) -> None:
    assert interrupted(config(store, *WORDS, "name=killed"), tmp_path, signal.SIGKILL) == -signal.SIGKILL
    again = config(store, *WORDS, "name=killed", "resume=auto")
    left = Path(again["run_dir"]) / "checkpoints/.part-left.ckpt"
    left.write_bytes(b"half")
    train(again)
    check_same_bits(whole, state(again))
    assert not left.exists()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_asked_to_leave_saves_first(
    store: Path, tmp_path: Path, whole: dict[str, Any], number: signal.Signals, status: int
) -> None:
    name = f"name=left_by_{number.name}"
    assert interrupted(config(store, *WORDS, name), tmp_path, number) == status
    again = config(store, *WORDS, name, "resume=auto")
    train(again)
    check_same_bits(whole, state(again))
