"""Processes of this machine, one thread each; a crash of one (a broken decoder, no memory) costs one video."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from hallo_lit.data.preprocess.engines.base import Answer, Work
from hallo_lit.data.preprocess.job import Job
from hallo_lit.data.workers import begin_worker
from hallo_lit.errors import UserError


@dataclass(frozen=True)
class Processes:
    """`workers` processes (None = one per core); 0 works in this process."""

    workers: int | None = None

    def __post_init__(self) -> None:
        """Raises UserError for a number of workers that is none."""
        if self.workers is not None and (not isinstance(self.workers, int) or self.workers < 0):
            raise UserError(f"engine.workers={self.workers} is no number of processes; give 0 or more, or null.")

    def run(self, work: Work, jobs: Sequence[Job]) -> Iterator[Answer]:
        count = min(cores() if self.workers is None else self.workers, len(jobs))
        if count <= 0:
            yield from (Answer(job, work(job)) for job in jobs)
            return
        waiting = list(reversed(jobs))
        pools: dict[Future[dict[str, Any]], tuple[ProcessPoolExecutor, Job]] = {}
        idle = [_process() for _ in range(count)]
        try:
            while waiting or pools:
                while waiting and idle:
                    pool, job = idle.pop(), waiting.pop()
                    pools[pool.submit(work, job)] = (pool, job)
                for future in wait(pools, return_when=FIRST_COMPLETED).done:
                    pool, job = pools.pop(future)
                    try:
                        answer = Answer(job, future.result())
                    except BrokenProcessPool:
                        pool.shutdown(wait=False)
                        pool = _process()
                        answer = Answer(
                            job, None, "the process that worked on it died (out of memory, or a broken codec)"
                        )
                    idle.append(pool)
                    yield answer
        finally:
            for pool in [*idle, *(pool for pool, _ in pools.values())]:
                _stop(pool)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _process() -> ProcessPoolExecutor:
    """One process on its own, so that its death is nobody else's."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=begin_worker)


def _stop(pool: ProcessPoolExecutor) -> None:
    """At once: what a stopped worker had not finished is done again by the next run."""
    for process in list((pool._processes or {}).values()):
        process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)
