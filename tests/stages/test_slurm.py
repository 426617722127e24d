"""`trainer=slurm` in processes that find themselves as `srun` would have started them, with a queue that only notes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint

from .command import ENVIRONMENT
from .small import settings

TASKS = 2


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """A folder with a `scontrol` that writes what it was asked into `asked`."""
    program = tmp_path / "slurm" / "scontrol"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> "{program.parent / "asked"}"\n')
    program.chmod(0o755)
    return program.parent


@pytest.fixture
def tasks() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that are ended with the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for task in started:
        task.kill()
        task.wait()


def srun(words: list[str], queue: Path) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    job = {
        "SLURM_JOB_ID": "4711", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": str(TASKS), "SLURM_NNODES": "1",
        "SLURM_NTASKS_PER_NODE": str(TASKS), "SLURM_NODEID": "0", "SLURM_NODELIST": "127.0.0.1",
        "MASTER_PORT": str(port), "PATH": f"{queue}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    made = []
    for rank in range(TASKS):
        task = {**ENVIRONMENT, **job, "SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)}
        with (queue / f"task{rank}.log").open("a") as log:
            command = [sys.executable, "-m", "hallo_lit.cli", "train", *words]
            made.append(subprocess.Popen(command, env=task, stdout=log, stderr=subprocess.STDOUT, text=True))
    return made


def told(queue: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(queue.glob("*.log")))


@pytest.mark.slow
def test_a_job_that_must_leave_is_queued_again_and_goes_on(
    store: Path, tmp_path: Path, queue: Path, tasks: list[subprocess.Popen[str]]
) -> None:
    run = tmp_path / "run"
    words = settings(
        store, f"run_dir={run}", "trainer=slurm", "trainer.accelerator=cpu", f"trainer.devices={TASKS}",
        "data.batch_size=1", "save_every=2",
    )  # fmt: skip
    tasks += srun([*words, "steps=100000"], queue)
    while not list((run / "checkpoints").glob("step*.ckpt")):
        assert [task.poll() for task in tasks] == [None] * TASKS, told(queue)
        time.sleep(0.05)
    for task in reversed(tasks):  # the first rank need not hear of it first
        task.send_signal(signal.SIGUSR1)
    assert [task.wait(60) for task in tasks] == [143, 0], told(queue)
    assert (queue / "asked").read_text() == "requeue 4711\n"
    left = read_checkpoint(checkpoint_in(run)).step

    tasks += srun([*words, f"steps={left + 3}"], queue)
    assert [task.wait(60) for task in tasks[TASKS:]] == [0] * TASKS, told(queue)
    assert f"going on at step {left} " in told(queue)
    assert read_checkpoint(checkpoint_in(run)).step == left + 3
