"""Processes that work for another one: what each of them does first."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import connection, parent_process

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def begin_worker() -> None:
    """For pools of processes: one thread each, and no life after the process that gives the work."""
    one_thread()
    threading.Thread(target=_die_with_parent, daemon=True).start()


def one_thread() -> None:
    """As many workers as cores share them best with one thread each."""
    for name in THREADS:
        os.environ[name] = "1"
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _die_with_parent() -> None:
    """A worker whose parent was killed would otherwise wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def outlive_signals(worker: int) -> None:
    """For `worker_init_fn` of a DataLoader: stopping a job may signal all its processes while one still has to save.

    That one ends its workers itself, by a signal of its own, which is obeyed; without it they end on their own.
    """
    for name in ("SIGINT", "SIGUSR1", "SIGUSR2"):  # Ctrl-C, or a queue says that time ends: both for who saves
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # elsewhere nobody says who sent a signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey, args=(os.getppid(),), daemon=True).start()


def _obey(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
