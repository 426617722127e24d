from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from hallo_lit.stages.callbacks.monitor import Monitor, gradient_norms
from hallo_lit.stages.running import train
from hallo_lit.stages.shell import Stage
from stages.small import batch_of, config, stage_of


def test_a_run_reports_itself(store: Path) -> None:
    monitor = "+callbacks.monitor={_target_: hallo_lit.stages.callbacks.monitor.Monitor, every: 3}"
    settings = config(store, "name=watched", "steps=6", "logger=csv", monitor, "log_every=1", "accumulate=2")
    train(settings)
    with (Path(settings["run_dir"]) / "logs/metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["speed/samples_per_second"]]
    assert [int(row["step"]) for row in rows] == [3, 6]
    assert all(float(row["grad/audio_projection.*"]) > 0 for row in rows)
    assert float(rows[0]["lr/0"]) == pytest.approx(0.01)
    assert 0 <= float(rows[0]["speed/waiting"]) <= 1
    assert float(rows[0]["memory/resident_gb"]) > 0.1
    assert 0 < float(rows[0]["cpu_hours"]) < float(rows[1]["cpu_hours"])
    assert any(name.startswith("error/t") and value for name, value in rows[0].items())


def test_errors_are_sorted_by_timestep() -> None:
    monitor = Monitor(every=2, buckets=4)
    assert monitor.errors_by_timestep() == {}
    monitor._errors = [
        (torch.tensor([1.0, 3.0]), torch.tensor([0, 249])),
        (torch.tensor([5.0]), torch.tensor([999])),
    ]
    assert monitor.errors_by_timestep() == {"error/t0-249": 2.0, "error/t750-999": 5.0}


def test_norms_are_those_of_the_groups(store: Path) -> None:
    stage: Stage = stage_of(store)
    stage.setup("fit")
    batch = batch_of(store)
    streams = stage.streams(batch.index, validating=True)
    stage.losses(batch, streams, stage.objective.drop_rates).loss.backward()  # type: ignore[operator, union-attr]
    norms = gradient_norms(stage)
    whole = torch.stack([p.grad.square().sum() for p in stage.parameters() if p.grad is not None]).sum().sqrt()
    assert set(norms) == {group.pattern for group in stage.trained_groups()}
    assert sum(norm**2 for norm in norms.values()) ** 0.5 == pytest.approx(float(whole), rel=1e-5)


def test_the_hours_of_a_run_go_on() -> None:
    first, second = Monitor(), Monitor()
    second.load_state_dict({"cpu_seconds": first.state_dict()["cpu_seconds"] + 7200})
    assert second.state_dict()["cpu_seconds"] == pytest.approx(first.state_dict()["cpu_seconds"] + 7200, abs=5)
