"""Runs a Lightning Trainer over a store and notes which samples each rank was given: recording.py STORE OUT RANKS."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from hallo_lit.data.clips import ClipPolicy
from hallo_lit.data.datamodule import ClipDataModule
from hallo_lit.data.dataset import SampleSpec
from hallo_lit.structs import ClipBatch

STEPS = 5  # of 6 in an epoch of 23 samples, 4 a step


class Recorder(L.LightningModule):
    """Learns one number and remembers every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.seen: list[dict[str, Any]] = []
        self.validated: list[int] = []

    def training_step(self, batch: ClipBatch, _: int) -> torch.Tensor:
        firsts = ((batch.frames[:, 0, 0, 0, 0] + 1) * 127.5).round().int().tolist()
        frames = tuple(batch.frames.shape[1:])
        self.seen.append({"samples": batch.index.tolist(), "firsts": firsts, "frames": frames})
        return (batch.frames * self.scale).square().mean()

    def validation_step(self, batch: ClipBatch, _: int) -> None:
        self.validated += batch.index.tolist()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.01)


def data(store: Path, batch_size: int, workers: int = 1) -> ClipDataModule:
    return ClipDataModule(store, SampleSpec(ClipPolicy()), batch_size, workers, test_share=0.2, seed=3)


def trainer(out: Path, ranks: int, steps: int) -> L.Trainer:
    return L.Trainer(
        accelerator="cpu",
        devices=ranks,
        strategy="ddp" if ranks > 1 else "auto",
        max_epochs=3,
        max_steps=steps,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=out,
        callbacks=[ModelCheckpoint(out / "kept", filename="{step}", every_n_train_steps=STEPS, save_top_k=-1)],
    )


def record(out: Path, name: str, fit: L.Trainer, model: Recorder) -> None:
    text = json.dumps({"seen": model.seen, "validated": model.validated})
    (out / f"{name}.{fit.global_rank}.json").write_text(text)


def main(store: Path, out: Path, ranks: int) -> None:
    for name, steps, checkpoint in (("before", STEPS, None), ("after", -1, str(out / "kept" / f"step={STEPS}.ckpt"))):
        model, fit = Recorder(), trainer(out, ranks, steps)
        fit.fit(model, datamodule=data(store, 4 // ranks), ckpt_path=checkpoint, weights_only=True)
        record(out, name, fit, model)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
