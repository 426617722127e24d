from __future__ import annotations

import os
import signal
from pathlib import Path

import lightning as L
import pytest

from hallo_lit.stages.callbacks.requeue import Requeue, queue_again
from hallo_lit.stages.fitting import TERMINATED, fit
from hallo_lit.stages.running import make_data, make_stage, make_trainer
from stages.small import config

JOB = ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for SLURM's `scontrol` was asked; it knows job 4711 and its array."""
    program, notes = tmp_path / "bin" / "scontrol", tmp_path / "asked"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> "{notes}"\ncase "$2" in 4711*) ;; *) echo Invalid job id >&2; exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    for name in JOB:
        monkeypatch.delenv(name, raising=False)
    return notes


class Send(L.Callback):
    """Gets a signal in the midst of the third step."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def on_train_batch_start(self, trainer: L.Trainer, *_: object) -> None:
        if trainer.global_step == 2:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize(("number", "notes"), [(signal.SIGUSR1, "requeue 4711\n"), (signal.SIGTERM, None)])
def test_a_run_leaves_and_its_job_is_queued_again_if_its_time_ends(
    store: Path, asked: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, notes: str | None
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    settings = config(store, f"name=left_by_{number.name}", "steps=9", "save_every=100")
    trainer = make_trainer(settings)
    trainer.callbacks[:0] = [Requeue(), Send(number)]  # type: ignore[attr-defined]
    before = signal.getsignal(signal.SIGUSR1)
    assert fit(trainer, make_stage(settings), make_data(settings)) == TERMINATED
    assert [path.name for path in Path(settings["run_dir"], "checkpoints").iterdir()] == ["step0000003.ckpt"]
    assert (asked.read_text() if asked.exists() else None) == notes
    assert signal.getsignal(signal.SIGUSR1) == before


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({}, "not queued again: this is no SLURM job"),
        ({"SLURM_JOB_ID": "12"}, "job 12 is not queued again: Invalid job id"),
        (
            {"SLURM_JOB_ID": "4713", "SLURM_ARRAY_JOB_ID": "4711", "SLURM_ARRAY_TASK_ID": "2"},
            "job 4711_2 is queued again",
        ),
    ],
)
def test_what_the_queue_answers_is_said(
    asked: Path, monkeypatch: pytest.MonkeyPatch, job: dict[str, str], said: str
) -> None:
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    assert queue_again() == said


def test_without_scontrol_nothing_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    assert queue_again() == "not queued again: there is no scontrol here"


def test_a_signal_that_does_not_exist() -> None:
    assert Requeue("SIGUSR2").number == signal.SIGUSR2
    with pytest.raises(ValueError, match="no signal USR7"):
        Requeue("USR7")
