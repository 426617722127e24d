"""When checkpoints are written: at intervals, at the end, and before a pre-empted run leaves."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.exceptions import SIGTERMException

from hallo_lit.data.atomic import HIDDEN
from hallo_lit.stages.checkpoint import ENDING, RECORD
from hallo_lit.stages.say import say


class Left(SIGTERMException):
    """A run was asked to leave by signal `number`, and has saved."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number
        super().__init__(number.name)


class Checkpoints(L.Callback):
    """`step0001000.ckpt` every `every` steps, of which the newest `keep` stay; config is YAML text that travels inside.

    On SIGTERM and Ctrl-C the step is finished, a checkpoint saved, and training left by `Left`, on all ranks alike.
    Callbacks that make something at length belong after this one.
    """

    def __init__(self, folder: str | Path, every: int = 1000, keep: int = 2, config: str = "") -> None:
        self.folder, self.every, self.keep, self.config = Path(folder), every, keep, config
        self._before_batch = -1  # the step, which batches that accumulate do not end
        self._asked: int | None = None  # a signal to leave
        self._before: dict[int, Any] = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.is_global_zero and self.folder.is_dir():
            for left in self.folder.glob(f"{HIDDEN}*{ENDING}"):  # of a run that was killed while writing
                left.unlink(missing_ok=True)
        if threading.current_thread() is threading.main_thread():
            # Lightning's own handler talks to other ranks at once, also in the midst of their talk about gradients
            self._before = {number: signal.signal(number, self._notice) for number in (signal.SIGTERM, signal.SIGINT)}

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self._asked == number == signal.SIGINT:
            raise KeyboardInterrupt  # the second time somebody does not want to wait for the step
        self._asked = number

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._before_batch = trainer.global_step

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step == self._before_batch:
            return
        terminated = trainer.strategy.reduce_boolean_decision(self._asked is not None, all=False)
        if terminated or step == trainer.max_steps or step % self.every == 0:
            self.save(trainer)
        if terminated:
            asked = signal.Signals(self._asked or signal.SIGTERM)
            say(f"{asked.name}: saved {self.path(step)}; go on with resume=auto.")
            raise Left(asked)

    def path(self, step: int) -> Path:
        return self.folder / f"step{step:07d}{ENDING}"

    def save(self, trainer: L.Trainer) -> None:
        """Called on all ranks."""
        trainer.save_checkpoint(self.path(trainer.global_step))
        if trainer.is_global_zero:
            kept = sorted(self.folder.glob(f"step*{ENDING}"))
            for old in kept[: -self.keep]:
                old.unlink(missing_ok=True)

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        from hallo_lit import __version__

        about = {"config": self.config, "stage": str(pl_module.name)}
        checkpoint[RECORD] = {**about, "version": __version__, "torch": str(torch.__version__)}

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
