"""The processes that read clips for a DataLoader."""

from __future__ import annotations

import signal


def outlive_signals(worker: int) -> None:
    """For `worker_init_fn`: whoever stops a job signals all its processes, and the one that trains still has to save.

    It ends its workers itself; without it they end on their own.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
