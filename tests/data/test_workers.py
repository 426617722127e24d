"""Processes that read clips while the one that trains is told to stop."""

from __future__ import annotations

import os
import subprocess
import sys

from torch.utils.data import DataLoader, Dataset

from hallo_lit.data.workers import outlive_signals


class Numbers(Dataset[int]):
    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> int:
        return os.getpid()


def loader() -> DataLoader[int]:
    return DataLoader(Numbers(), 1, num_workers=1, worker_init_fn=outlive_signals, persistent_workers=True)


def test_a_signal_to_the_whole_job_leaves_the_data_flowing() -> None:
    read = iter(loader())
    worker = int(next(read))
    sender = "import os, signal, sys; os.kill(int(sys.argv[1]), signal.SIGTERM)"
    subprocess.run([sys.executable, "-c", sender, str(worker)], check=True)
    assert [int(pid) for pid in read] == [worker] * 5


def test_a_program_ends_although_its_loader_is_still_at_work() -> None:
    """Python ends workers that are left over by SIGTERM and waits for them."""
    program = "from data.test_workers import loader\nread = iter(loader())\nprint(int(next(read)), flush=True)\n"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    worker = int(done.stdout)
    assert not os.path.exists(f"/proc/{worker}")
