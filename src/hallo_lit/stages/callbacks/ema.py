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

Average = Callable[[Tensor, Tensor, Tensor | int], Tensor]


class Ema(WeightAveraging):
    """Exponential moving average whose decay rises as (1 + n) / (10 + n) to `decay`, so that short runs average, too.

    Weights that do not change keep their bits, as a sum of two products would not let them.
    """

    def __init__(self, decay: float = 0.9999, device: str | None = None) -> None:
        super().__init__(device=device, use_buffers=True, avg_fn=lerp(decay))

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """
        Raises:
            UserError: the weights are sharded.
        """
        if isinstance(trainer.strategy, ModelParallelStrategy):
            raise UserError("Sharded weights cannot be averaged; set callbacks.ema=null.")
        super().setup(trainer, pl_module, stage)

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
    def average(mean: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
        n = float(count)
        share = 1 - min(decay, (1 + n) / (10 + n))
        return torch.lerp(mean, new.to(mean.device), share) if mean.is_floating_point() else new

    return average
