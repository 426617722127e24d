"""Things to look at every so many steps, made with averaged weights where there are such."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning as L
import torch
import torch.distributed as dist
from lightning.pytorch.strategies import ModelParallelStrategy

from hallo_lit.data.dataset import ClipDataset
from hallo_lit.media.image import Pixels, save_png
from hallo_lit.stages.callbacks.ema import Ema
from hallo_lit.stages.callbacks.monitor import Monitor
from hallo_lit.stages.loggers import show_picture


@contextmanager
def others_wait() -> Iterator[None]:
    """All ranks leave the block together, however long one of them stays; collectives give up after half an hour."""
    if not (dist.is_available() and dist.is_initialized()):
        yield
        return
    group = dist.new_group(backend="gloo", timeout=timedelta(days=365))
    yield
    dist.barrier(group)
    dist.destroy_process_group(group)


class Periodic(L.Callback):
    """Calls `show` on rank 0 every `every` steps and at the last one; what it makes goes to `folder`.

    at_start: also before the first step of a run.

    Sharded models are left out: none of their processes holds all weights.
    """

    def __init__(self, folder: str | Path, every: int, at_start: bool = False) -> None:
        self.folder, self.every, self.at_start = Path(folder), every, at_start
        self._shown = -1

    def show(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        raise NotImplementedError

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._shown = trainer.global_step
        if self.at_start and trainer.global_step == 0:
            self._look(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        due = step % self.every == 0 or step == trainer.max_steps
        if due and step != self._shown:
            self._shown = step
            self._look(trainer, pl_module)

    def _look(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if isinstance(trainer.strategy, ModelParallelStrategy):
            return
        began = time.perf_counter()
        self._show_averages(trainer, pl_module)
        for other in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(other, Monitor):
                other.leave_out(time.perf_counter() - began)

    def _show_averages(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        with ExitStack() as stack:
            stack.enter_context(others_wait())
            if not trainer.is_global_zero:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            for other in trainer.callbacks:  # type: ignore[attr-defined]
                if isinstance(other, Ema):
                    stack.enter_context(other.in_place(pl_module))
            stack.enter_context(trainer.precision_plugin.forward_context())
            stack.enter_context(torch.inference_mode())
            self.show(trainer, pl_module)

    def place(self, trainer: L.Trainer, name: str) -> Path:
        return self.folder / f"step{trainer.global_step:07d}_{name}"

    def picture(self, trainer: L.Trainer, name: str, picture: Pixels) -> None:
        save_png(self.place(trainer, f"{name}.png"), picture)
        show_picture(trainer.loggers, name, picture, trainer.global_step)

    @staticmethod
    def clips(trainer: L.Trainer) -> ClipDataset:
        """Test clips, or training clips where all persons are in training."""
        source: Any = trainer.datamodule  # type: ignore[attr-defined]
        data: ClipDataset = source.test_set or source.train_set
        return data
