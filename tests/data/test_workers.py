"""Processes that read clips while the one that trains is told to stop."""

from __future__ import annotations

import os
import signal

from torch.utils.data import DataLoader, Dataset

from hallo_lit.data.workers import outlive_signals


class Numbers(Dataset[int]):
    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> int:
        return os.getpid()


def test_a_signal_to_the_whole_job_leaves_the_data_flowing() -> None:
    read = iter(DataLoader(Numbers(), batch_size=1, num_workers=1, worker_init_fn=outlive_signals))
    worker = int(next(read))
    os.kill(worker, signal.SIGTERM)
    assert [int(pid) for pid in read] == [worker] * 5
