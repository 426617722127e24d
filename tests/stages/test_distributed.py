"""Two processes do what one does with all the samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint
from hallo_lit.stages.running import train

from .command import start
from .small import ALL, EMA, config

PLAIN = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 1.0}  # weights then show the gradients themselves
WORDS = (ALL, "steps=2", "objective.drop_rates.audio=0.5", "objective.drop_rates.reference=0.5", "clip_norm=0.1")


def run(store: Path, folder: Path, *more: str) -> dict[str, Any]:
    settings = config(store, *WORDS, f"run_dir={folder}", *more)
    settings["stage"]["learning"]["optimizer"] = PLAIN
    return settings


@pytest.fixture(scope="module")
def alone(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Tensor]:
    folder = tmp_path_factory.mktemp("alone")
    train(run(store, folder, "data.batch_size=4"))
    return read_checkpoint(checkpoint_in(folder)).state


@pytest.mark.parametrize(
    "trainer",
    [
        ("trainer=ddp_cpu",),
        pytest.param(("trainer=fsdp", "trainer.accelerator=cpu", "trainer.devices=2"), marks=pytest.mark.slow),
    ],
    ids=["ddp", "fsdp"],
)
def test_two_processes_make_the_gradients_of_one(
    store: Path, tmp_path: Path, alone: Mapping[str, Tensor], trainer: tuple[str, ...]
) -> None:
    settings = run(store, tmp_path / "run", *trainer, "data.batch_size=2")
    assert start(settings, tmp_path, "together").wait() == 0, (tmp_path / "together.log").read_text()
    together = read_checkpoint(checkpoint_in(tmp_path / "run")).state
    assert set(together) == set(alone)
    for name, tensor in alone.items():
        torch.testing.assert_close(together[name], tensor, rtol=1e-4, atol=2e-6, msg=name)


@pytest.mark.slow
def test_sharded_and_whole_runs_go_on_with_each_others_checkpoints(store: Path, tmp_path: Path) -> None:
    """The codec is frozen and comes first, so that parameters and those that train are numbered differently."""
    words = ("stage.learning.trains=[denoiser.*]", "data.batch_size=4", "optimizer.lr=0.001")
    sharded = ("trainer=fsdp", "trainer.accelerator=cpu", "trainer.devices=2", "data.batch_size=2")

    def last(folder: Path) -> Mapping[str, Tensor]:
        return read_checkpoint(checkpoint_in(folder)).state

    train(config(store, *words, "steps=4", f"run_dir={tmp_path}/whole"))
    train(config(store, *words, EMA, "steps=2", f"run_dir={tmp_path}/mixed"))
    for steps, more in ((3, sharded), (4, ())):
        settings = config(store, *words, f"run_dir={tmp_path}/mixed", f"steps={steps}", "resume=auto", *more)
        name = f"to{steps}"
        assert start(settings, tmp_path, name).wait() == 0, (tmp_path / f"{name}.log").read_text()
    mixed = last(tmp_path / "mixed")
    for name, tensor in last(tmp_path / "whole").items():
        torch.testing.assert_close(mixed[name], tensor, rtol=1e-3, atol=1e-4, msg=name)
