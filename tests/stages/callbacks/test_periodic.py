from __future__ import annotations

from pathlib import Path

import lightning as L
import pytest
import torch

from hallo_lit.stages.callbacks.monitor import Monitor
from hallo_lit.stages.callbacks.periodic import Periodic
from hallo_lit.stages.running import make_data, make_stage, make_trainer
from stages.small import ALL, config


class Looking(Periodic):
    def __init__(self, folder: Path, every: int) -> None:
        super().__init__(folder, every)
        self.steps: list[int] = []
        self.seen: list[torch.Tensor] = []

    def show(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.steps.append(trainer.global_step)
        self.seen.append(pl_module.network.denoiser.conv_in.weight.clone())  # type: ignore[union-attr, operator]


def test_it_looks_every_so_often_and_at_the_end_at_averaged_weights(store: Path, tmp_path: Path) -> None:
    settings = config(
        store, ALL, "name=periodic", "steps=5", "accumulate=2", "callbacks=default", "callbacks.samples=null"
    )
    stage, trainer = make_stage(settings), make_trainer(settings)
    looking = Looking(tmp_path / "seen", 2)
    trainer.callbacks.append(looking)  # type: ignore[attr-defined]
    trainer.fit(stage, datamodule=make_data(settings))
    assert looking.steps == [2, 4, 5]
    averaged = stage.network.denoiser.conv_in.weight  # type: ignore[union-attr]
    assert torch.equal(looking.seen[-1], averaged)  # type: ignore[arg-type]
    assert (tmp_path / "seen").is_dir()


class Long(Periodic):
    """Takes 100 seconds of a clock that otherwise stands still."""

    now = 0.0

    def show(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        Long.now += 100


def test_the_time_it_takes_is_no_time_spent_waiting_for_data(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(store, "name=no_waiting", "steps=3", "log_every=1", "callbacks=default", "callbacks.samples=null")
    stage, trainer = make_stage(settings), make_trainer(settings)
    trainer.callbacks.append(Long(tmp_path, 1))  # type: ignore[attr-defined]
    (monitor,) = (one for one in trainer.callbacks if isinstance(one, Monitor))  # type: ignore[attr-defined]
    monkeypatch.setattr("time.perf_counter", lambda: Long.now)
    trainer.fit(stage, datamodule=make_data(settings))
    assert Long.now == 300
    assert monitor._waited == 0
    assert monitor._began == 300
