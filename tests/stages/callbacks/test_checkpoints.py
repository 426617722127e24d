from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import lightning as L
import torch

from hallo_lit.stages.callbacks.periodic import Periodic
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint
from hallo_lit.stages.fitting import TERMINATED, fit
from hallo_lit.stages.running import make_data, make_stage, make_trainer, train
from stages.small import config


def names(settings: dict) -> list[str]:  # type: ignore[type-arg]
    return sorted(path.name for path in (Path(settings["run_dir"]) / "checkpoints").iterdir())


def test_the_newest_are_kept_and_the_last_step_counts(store: Path) -> None:
    settings = config(store, "name=kept", "steps=7", "save_every=2", "keep=3")
    train(settings)
    assert names(settings) == ["step0000004.ckpt", "step0000006.ckpt", "step0000007.ckpt"]


def test_a_step_of_several_batches_is_saved_once_it_is_whole(store: Path) -> None:
    settings = config(store, "name=several", "steps=4", "save_every=2", "accumulate=3", "keep=9")
    train(settings)
    assert names(settings) == ["step0000002.ckpt", "step0000004.ckpt"]


class Terminated(L.Callback):
    """SIGTERM in the midst of a batch, the first of which is 0."""

    def __init__(self, batch: int = 3) -> None:
        self.batch = batch

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, number: int) -> None:
        if trainer.fit_loop.epoch_loop.batch_progress.total.completed == self.batch:
            os.kill(os.getpid(), signal.SIGTERM)


class Slow(Periodic):
    """Notes the checkpoints that were there when it began."""

    def show(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.folder.joinpath(f"{trainer.global_step}.txt").write_text("\n".join(names(CONFIGS[-1])))


CONFIGS: list[dict[str, Any]] = []


def test_checkpoints_are_written_before_anything_that_takes_long(store: Path) -> None:
    slow = f"+callbacks.slow={{_target_: {Slow.__module__}.Slow, folder: {store.parent}/slow, every: 2}}"
    settings = config(store, "name=slow", "steps=9", "save_every=2", slow)
    CONFIGS.append(settings)
    trainer = make_trainer(settings)
    trainer.callbacks.insert(0, Terminated())  # type: ignore[attr-defined]
    assert fit(trainer, make_stage(settings), make_data(settings)) == TERMINATED
    assert names(settings) == ["step0000002.ckpt", "step0000004.ckpt"]
    seen = {path.name: path.read_text() for path in (store.parent / "slow").iterdir()}
    assert seen == {"2.txt": "step0000002.ckpt"}  # and at step 4, when it had to leave, nothing more was begun


def test_a_step_is_finished_with_all_its_batches(store: Path) -> None:
    words = ("steps=4", "accumulate=3", "save_every=100", "optimizer.lr=0.01")
    whole = config(store, *words, "name=whole_steps")
    fit(make_trainer(whole), make_stage(whole), make_data(whole))
    left = config(store, *words, "name=left_in_a_step")
    trainer = make_trainer(left)
    trainer.callbacks.insert(0, Terminated(4))  # type: ignore[attr-defined]
    assert fit(trainer, make_stage(left), make_data(left)) == TERMINATED
    assert names(left) == ["step0000002.ckpt"]
    fit(make_trainer(left), make_stage(left), make_data(left), checkpoint_in(Path(left["run_dir"])))
    runs = [read_checkpoint(checkpoint_in(Path(settings["run_dir"]))) for settings in (whole, left)]
    assert [run.step for run in runs] == [4, 4]
    assert all(torch.equal(tensor, runs[1].state[name]) for name, tensor in runs[0].state.items())


def test_sigterm_finishes_the_step_saves_and_leaves(store: Path) -> None:
    settings = config(store, "name=terminated", "steps=9", "save_every=100")
    trainer = make_trainer(settings)
    trainer.callbacks.insert(0, Terminated())  # type: ignore[attr-defined]
    before = signal.getsignal(signal.SIGTERM)
    assert fit(trainer, make_stage(settings), make_data(settings)) == TERMINATED
    assert names(settings) == ["step0000004.ckpt"]
    assert signal.getsignal(signal.SIGTERM) == before
