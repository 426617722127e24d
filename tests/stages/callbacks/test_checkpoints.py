from __future__ import annotations

import os
import signal
from pathlib import Path

import lightning as L

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
    def on_train_batch_start(self, trainer: L.Trainer, *_: object) -> None:
        if trainer.global_step == 3:
            os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_finishes_the_step_saves_and_leaves(store: Path) -> None:
    settings = config(store, "name=terminated", "steps=9", "save_every=100")
    trainer = make_trainer(settings)
    trainer.callbacks.insert(0, Terminated())  # type: ignore[attr-defined]
    before = signal.getsignal(signal.SIGTERM)
    assert fit(trainer, make_stage(settings), make_data(settings)) == TERMINATED
    assert names(settings) == ["step0000004.ckpt"]
    assert signal.getsignal(signal.SIGTERM) == before
