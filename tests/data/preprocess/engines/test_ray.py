"""Two Ray nodes on this machine; tasks lose their worker, then a whole node."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hallo_lit.data.preprocess.engines.ray import Ray
from hallo_lit.data.preprocess.job import Job, work
from hallo_lit.data.preprocess.settings import Crop, Features, Settings
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.data.store import ClipStore, StoreWriter, check_store
from hallo_lit.errors import UserError

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow
PATIENCE = 300  # seconds for a node to start


@pytest.fixture(scope="module")
def cluster():
    """A head without processors and two nodes of one; on a busy machine Ray's own patience of 30 s is too short."""
    from ray.cluster_utils import Cluster

    patience = pytest.MonkeyPatch()
    for name, unit in (
        ("gcs_server_port_wait_time_s", 1),
        ("raylet_start_wait_time_s", 1),
        ("agent_register_timeout_ms", 1000),
    ):
        patience.setenv(f"RAY_{name}", str(PATIENCE * unit))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "wait": False})
    nodes = [made.add_node(num_cpus=1, wait=False) for _ in range(2)]
    made.wait_for_nodes(PATIENCE)
    ray.init(address=made.address, log_to_driver=False)
    yield made, nodes
    ray.shutdown()
    made.shutdown()
    patience.undo()


def jobs(root: Path, count: int) -> list[Job]:
    return [Job(Source(Path(f"{i}.mp4"), f"{i}.mp4"), root, Settings()) for i in range(count)]


def test_jobs_of_lost_workers_run_again(cluster, tmp_path):
    def mortal(job: Job) -> dict:
        """The first two jobs kill their worker when tried for the first time."""
        mark = job.root / f"{job.source.name}.tried"
        if job.source.name in ("0.mp4", "1.mp4") and not mark.exists():
            mark.touch()
            os._exit(1)
        return {"source": job.source.name}

    answers = list(Ray().run(mortal, jobs(tmp_path, 6)))
    assert sorted(answer.line["source"] for answer in answers if answer.line) == [f"{i}.mp4" for i in range(6)]
    assert len(list(tmp_path.iterdir())) == 2


def test_what_concerns_all_jobs_ends_the_run(cluster, tmp_path):
    def complaining(job: Job) -> dict:
        raise UserError("The store is full.")

    with pytest.raises(UserError, match=r"^The store is full\.$"):
        list(Ray().run(complaining, jobs(tmp_path, 2)))


def test_real_videos(cluster, face_clip, tmp_path):
    settings = Settings(crop=Crop(size=128), features=Features(identity=None))
    StoreWriter(tmp_path / "store", spec=_spec(settings))
    source = Source(face_clip, face_clip.name)
    lines = [a.line for a in Ray().run(work, [Job(source, tmp_path / "store", settings)])]
    assert [line["verdict"] for line in lines if line] == ["undecided"]
    assert len(ClipStore(tmp_path / "store")) == 1
    assert check_store(tmp_path / "store").ok


def test_jobs_of_a_lost_machine_run_on_another(cluster, tmp_path):
    def slow(job: Job) -> dict:
        time.sleep(1.5)
        return {"source": job.source.name}

    made, nodes = cluster
    answers = Ray().run(slow, jobs(tmp_path, 5))
    first = next(answers)
    made.remove_node(nodes.pop(), allow_graceful=False)
    rest = list(answers)
    assert sorted(a.line["source"] for a in [first, *rest] if a.line) == [f"{i}.mp4" for i in range(5)]


def _spec(settings: Settings):
    from hallo_lit.data.preprocess.features import store_spec

    return store_spec(settings.features)
