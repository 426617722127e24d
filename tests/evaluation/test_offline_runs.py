"""Runs that W&B wrote without a network are read again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import wandb

from hallo_lit.errors import UserError
from hallo_lit.evaluation.offline_runs import offline_runs, read_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs")
    quiet = wandb.Settings(silent=True)
    with wandb.init(
        mode="offline",
        dir=place,
        name="fusion=gated,seed=1",
        group="table5",
        config={"seed": 1},
        settings=quiet,
        reinit="create_new",
    ) as run:
        run.log({"ours/aperture_r": 0.3, "loss": 2})
        run.log({"ours/aperture_r": 0.4})
        run.summary["best"] = 0.5
    for _ in range(600):  # W&B's own process may still be writing, on a busy machine for seconds
        if offline_runs(place)[0].values.get("best") == 0.5:
            break
        time.sleep(0.1)
    return place


def test_name_settings_and_last_values_come_back(folder: Path) -> None:
    (run,) = offline_runs(folder)
    assert (run.name, run.group) == ("fusion=gated,seed=1", "table5")
    assert run.config == {"seed": 1}
    assert run.values == {"ours/aperture_r": 0.4, "loss": 2.0, "best": 0.5}
    assert offline_runs(folder, "table5") == [run]


def test_other_groups_and_empty_folders_are_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="in group table6"):
        offline_runs(folder, "table6")
    with pytest.raises(UserError, match="no offline runs"):
        offline_runs(tmp_path)


def test_a_killed_run_keeps_what_reached_the_disk(folder: Path, tmp_path: Path) -> None:
    whole = next(folder.rglob("run-*.wandb"))
    cut = tmp_path / "run-cut.wandb"
    cut.write_bytes(whole.read_bytes()[:-40])
    assert read_run(cut).name == "fusion=gated,seed=1"


def test_another_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "run-x.wandb"
    path.write_bytes(b"nothing of W&B's")
    with pytest.raises(UserError, match=r"run-x\.wandb"):
        read_run(path)
