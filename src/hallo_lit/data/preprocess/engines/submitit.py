"""A SLURM array whose tasks each take a share of the videos, or the same on this machine for trying it out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hallo_lit.data.preprocess.engines.base import Answer, Work
from hallo_lit.data.preprocess.job import Job
from hallo_lit.data.workers import one_thread
from hallo_lit.errors import UserError


@dataclass(frozen=True)
class Submitit:
    """`tasks` array tasks; `parameters` are submitit's own, such as slurm_partition, timeout_min, mem_gb."""

    cluster: str = "slurm"  # or "local"
    tasks: int = 16
    folder: Path | None = None  # for job files and logs; None = preprocess/submitit in the store
    parameters: dict[str, Any] = field(default_factory=dict)

    def run(self, work: Work, jobs: Sequence[Job]) -> Iterator[Answer]:
        try:
            import submitit
        except ImportError as error:
            raise UserError(
                "engine=submitit needs the package submitit; install hallo-lit[launchers], or use engine=processes."
            ) from error
        if not jobs:
            return
        folder = self.folder or jobs[0].root / "preprocess" / "submitit"
        executor = submitit.AutoExecutor(folder=folder, cluster=self.cluster)
        executor.update_parameters(name="hallo-lit-preprocess", **{"timeout_min": 24 * 60, **self.parameters})
        shares = [share for i in range(self.tasks) if (share := list(jobs[i :: self.tasks]))]
        tasks = executor.map_array(_share, [work] * len(shares), shares)
        for task, share in zip(tasks, shares, strict=True):
            try:
                result = task.result()
            except (submitit.core.utils.FailedJobError, submitit.core.utils.UncompletedJobError):
                fault = f"array task {task.job_id} died or could not start; its logs are in {folder}"
                yield from (Answer(job, None, fault) for job in share)
                continue
            if isinstance(result, str):
                raise UserError(result)
            yield from (Answer(job, line) for job, line in zip(share, result, strict=True))


def _share(work: Work, share: list[Job]) -> list[dict[str, Any]] | str:
    """Lines of all jobs, or the sentence that concerns them all."""
    one_thread()
    try:
        return [work(job) for job in share]
    except UserError as error:
        return str(error)
