"""Stops at the first loss that is no number, and keeps what made it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import lightning as L
import torch
from safetensors.torch import save_file
from torch import Tensor

from hallo_lit.errors import UserError


class NanGuard(L.Callback):
    """Writes `step000123_rank0.json` (which samples of which clips) and `.safetensors` (the batch) into `folder`."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._batch: Any = None

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._batch = batch

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor) -> None:
        if bool(torch.isfinite(loss.detach())):
            return
        path = self.folder / f"step{trainer.global_step:06d}_rank{trainer.global_rank}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = self._batch.index.tolist()
        record = {
            "step": trainer.global_step,
            "rank": trainer.global_rank,
            "loss": str(loss.item()),
            "seed": pl_module.seed,
            "samples": samples,
            "clips": _clips(trainer, samples),
            "not_finite": [name for name, tensor in _tensors(self._batch).items() if not tensor.isfinite().all()],
        }
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        save_file(_tensors(self._batch), path.with_suffix(".safetensors"))
        raise UserError(
            f"The loss became {loss.item()} at step {trainer.global_step}; {path} says which clips were in the batch: "
            "look at them, or go on from the last checkpoint with a lower learning rate."
        )


def _tensors(batch: Any, prefix: str = "") -> dict[str, Tensor]:
    """Every tensor of a batch by its dotted name, on the CPU."""
    found: dict[str, Tensor] = {}
    for field in fields(batch):
        value = getattr(batch, field.name)
        name = f"{prefix}{field.name}"
        found |= {name: value.detach().cpu().contiguous()} if isinstance(value, Tensor) else _tensors(value, f"{name}.")
    return found


def _clips(trainer: L.Trainer, samples: list[int]) -> list[str]:
    """Recordings the samples were cut from, where the data can tell."""
    data: Any = getattr(getattr(trainer, "datamodule", None), "train_set", None)
    if data is None:
        return []
    return [data.store.source(int(data.rows[sample])) for sample in samples]
