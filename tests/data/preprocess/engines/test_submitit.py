from __future__ import annotations

import os
from pathlib import Path

import pytest

from hallo_lit.data.preprocess.engines.submitit import Submitit
from hallo_lit.data.preprocess.job import Job
from hallo_lit.data.preprocess.settings import Settings
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.errors import UserError

pytest.importorskip("submitit")


@pytest.mark.slow
def test_shares_run_in_their_own_processes_and_a_dead_one_costs_its_share(tmp_path):
    def report(job: Job) -> dict:
        if job.source.name == "deadly":
            os._exit(3)
        return {"source": job.source.name, "pid": os.getpid()}

    names = ["a", "deadly", "b", "c"]
    jobs = [Job(Source(Path(name), name), tmp_path / "store", Settings()) for name in names]
    engine = Submitit(cluster="local", tasks=2, folder=tmp_path / "logs", parameters={"timeout_min": 2})
    answers = {answer.job.source.name: answer for answer in engine.run(report, jobs)}
    assert set(answers) == set(names)
    done = [answers[name].line for name in "ab"]  # tasks take every second job
    assert all(line is not None and line["pid"] != os.getpid() for line in done)
    for name in ("deadly", "c"):
        assert answers[name].line is None
        assert "died" in answers[name].fault
        assert str(tmp_path / "logs") in answers[name].fault


def test_what_concerns_all_jobs_ends_the_run(tmp_path):
    def complaining(job: Job) -> dict:
        raise UserError("The store is full.")

    jobs = [Job(Source(Path("a"), "a"), tmp_path / "store", Settings())]
    with pytest.raises(UserError, match=r"^The store is full\.$"):
        list(Submitit(cluster="local", tasks=1).run(complaining, jobs))


def test_nothing_to_do():
    assert list(Submitit().run(lambda job: {}, [])) == []
