"""Puts the SLURM job that a run is in back into the queue when its time is nearly up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from types import FrameType
from typing import Any

import lightning as L
from lightning.pytorch.utilities.exceptions import SIGTERMException

from hallo_lit.stages.say import say

SCONTROL_SECONDS = 60  # a controller that does not answer by then will not


class Requeue(L.Callback):
    """On `signal` (`sbatch --signal=USR1@300`) a run leaves as on SIGTERM, its step finished and a checkpoint saved;
    then its job is queued again. Pre-emption needs no help: SLURM sends SIGTERM and queues the job itself.

    Lightning's own `auto_requeue` saves in the middle of a step, to a file of another name, and goes on training.

    Raises:
        ValueError: there is no signal of that name.
    """

    def __init__(self, signal: str = "USR1") -> None:
        self.number = _number(signal)
        self._asked = False
        self._before: Any = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(self.number, self._notice)

    def _notice(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        signal.raise_signal(signal.SIGTERM)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        # all ranks leave at the same step, and the first need not be the one that was asked
        if (
            isinstance(exception, SIGTERMException)
            and trainer.strategy.reduce_boolean_decision(self._asked, all=False)
            and trainer.is_global_zero
        ):
            say(queue_again())

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if self._before is not None:
            signal.signal(self.number, self._before)
            self._before = None


def queue_again() -> str:
    """Asks SLURM to run this job again from its beginning, and says how that went."""
    job = _job()
    program = shutil.which("scontrol")
    if job is None or program is None:
        return f"not queued again: {'this is no SLURM job' if job is None else 'there is no scontrol here'}"
    try:
        done = subprocess.run([program, "requeue", job], capture_output=True, text=True, timeout=SCONTROL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"job {job} is not queued again: {error}"
    return f"job {job} is not queued again: {done.stderr.strip()}" if done.returncode else f"job {job} is queued again"


def _job() -> str | None:
    """The job's number, or that of its row in an array."""
    if array := os.environ.get("SLURM_ARRAY_JOB_ID"):
        return f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID', '0')}"
    return os.environ.get("SLURM_JOB_ID")


def _number(name: str) -> signal.Signals:
    whole = name if name.startswith("SIG") else f"SIG{name}"
    if whole not in signal.Signals.__members__:
        raise ValueError(f"there is no signal {name}, see `kill -l`")
    return signal.Signals[whole]
