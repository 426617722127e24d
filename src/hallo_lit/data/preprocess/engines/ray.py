"""A Ray cluster, local or many machines that share the file system of the store (extra `ray`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hallo_lit.data.preprocess.engines.base import Answer, Work
from hallo_lit.data.preprocess.job import Job
from hallo_lit.data.workers import one_thread
from hallo_lit.errors import UserError


@dataclass(frozen=True)
class Ray:
    """One task per video; tasks of workers or machines that are lost run again elsewhere.

    address: of a running cluster, "auto" for the one this machine belongs to, None for a new one on this machine.
    """

    address: str | None = None
    cpus: float = 1.0  # a task
    gpus: float = 0.0
    retries: int = 3

    def run(self, work: Work, jobs: Sequence[Job]) -> Iterator[Answer]:
        try:
            import ray
        except ImportError as error:
            raise UserError(
                "engine=ray needs the package ray; install hallo-lit[ray], or use engine=processes."
            ) from error
        ours = not ray.is_initialized()
        if ours:
            ray.init(address=self.address, include_dashboard=False, log_to_driver=False, configure_logging=False)

        @ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=self.retries)
        def task(job: Job) -> dict[str, Any]:
            one_thread()
            return work(job)

        running: dict[Any, Job] = {}
        waiting = list(reversed(jobs))
        try:
            while waiting or running:
                while waiting and len(running) < 4 * max(1, int(ray.cluster_resources().get("CPU", 1))):
                    job = waiting.pop()
                    running[task.remote(job)] = job
                for done in ray.wait(list(running))[0]:
                    yield self._answer(ray, done, running.pop(done))
        finally:
            for reference in running:
                ray.cancel(reference, force=True)
            if ours:
                ray.shutdown()

    @staticmethod
    def _answer(ray: Any, done: Any, job: Job) -> Answer:
        try:
            return Answer(job, ray.get(done))
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error  # as it was raised, without the worker's stack in its text
        except ray.exceptions.RayError as error:
            return Answer(job, None, f"no worker of the cluster could finish it ({type(error).__name__})")
