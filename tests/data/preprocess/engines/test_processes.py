from __future__ import annotations

import os
from pathlib import Path

import pytest

from hallo_lit.data.preprocess.engines.processes import Processes, cores
from hallo_lit.data.preprocess.job import Job
from hallo_lit.data.preprocess.settings import Settings
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.errors import UserError


def jobs(*names: str) -> list[Job]:
    return [Job(Source(Path(name), name), Path("store"), Settings()) for name in names]


def report(job: Job) -> dict:
    """Dies on one name, complains on another."""
    if job.source.name == "deadly":
        os._exit(9)
    if job.source.name == "hopeless":
        raise UserError("The store is full.")
    import torch

    return {"source": job.source.name, "pid": os.getpid(), "threads": torch.get_num_threads()}


def test_jobs_are_shared_and_the_death_of_a_worker_costs_one_of_them():
    answers = {a.job.source.name: a for a in Processes(2).run(report, jobs("a", "deadly", "b", "c"))}
    assert set(answers) == {"a", "b", "c", "deadly"}
    assert answers["deadly"].line is None
    assert "died" in answers["deadly"].fault
    lines = [answers[name].line for name in "abc"]
    assert all(line is not None and line["threads"] == 1 and line["pid"] != os.getpid() for line in lines)


def test_what_concerns_all_jobs_ends_the_run():
    with pytest.raises(UserError, match="full"):
        list(Processes(1).run(report, jobs("hopeless", "a")))


def test_zero_workers_work_here():
    (answer,) = Processes(0).run(report, jobs("a"))
    assert answer.line is not None
    assert answer.line["pid"] == os.getpid()


def test_nothing_to_do():
    assert list(Processes().run(report, [])) == []
    assert cores() >= 1


@pytest.mark.parametrize("workers", [-3, 1.5, "two"])
def test_what_is_no_number_of_workers(workers):
    with pytest.raises(UserError, match=f"engine.workers={workers}"):
        Processes(workers)
