"""Averaged weights, which validation, samples and exports use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import lightning as L
import torch
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor

from hallo_lit.errors import UserError

Average = Callable[[list[Tensor], list[Tensor], Tensor | int], None]


class Ema(WeightAveraging):
    """Exponential moving average whose decay rises as (1 + n) / (10 + n) to `decay`, so that short runs average, too.

    Weights that do not change keep their bits, as a sum of two products would not let them.
    """

    def __init__(self, decay: float = 0.9999, device: str | None = None) -> None:
        super().__init__(device=device, use_buffers=True, multi_avg_fn=lerp(decay))

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """
        Raises:
            UserError: the weights are sharded.
        """
        if isinstance(trainer.strategy, ModelParallelStrategy):
            raise UserError("Sharded weights cannot be averaged; set callbacks.ema=null.")
        super().setup(trainer, pl_module, stage)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Frozen weights are their own average, and are held once."""
        if self._average_model is None:
            return
        averages = self._average_model.module.parameters()
        for average, current in zip(averages, pl_module.parameters(), strict=True):
            if not current.requires_grad and average.device == current.device and torch.equal(average, current):
                average.data = current.data

    @contextmanager
    def in_place(self, pl_module: L.LightningModule) -> Iterator[None]:
        """The averaged weights stand in for the current ones inside the block."""
        if self._average_model is None:
            yield
            return
        self._swap_models(pl_module)
        try:
            yield
        finally:
            self._swap_models(pl_module)


def lerp(decay: float) -> Average:
    """Averages tensors of one type and device in place, at once: one look at the count, which may lie on a GPU."""

    def average(means: list[Tensor], news: list[Tensor], count: Tensor | int) -> None:
        pairs = [(mean, new) for mean, new in zip(means, news, strict=True) if mean.data_ptr() != new.data_ptr()]
        if not pairs:
            return
        n = float(count)
        old, now = [mean for mean, _ in pairs], [new for _, new in pairs]
        if old[0].is_floating_point():
            torch._foreach_lerp_(old, now, 1 - min(decay, (1 + n) / (10 + n)))
        else:
            torch._foreach_copy_(old, now)

    return average
