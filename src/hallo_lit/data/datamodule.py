"""Clips for a Lightning Trainer: prepared when missing, split by person, in an order that can be resumed exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch.utils.data import DataLoader

from hallo_lit.data.dataset import ClipDataset, SampleSpec
from hallo_lit.data.manifest import Manifest
from hallo_lit.data.sampler import ClipSampler, Draw
from hallo_lit.data.spec import Encoder
from hallo_lit.data.splits import split_rows
from hallo_lit.data.store_reader import ClipStore
from hallo_lit.data.workers import outlive_signals
from hallo_lit.errors import UserError
from hallo_lit.structs import ClipBatch, ClipSample

Prepare = Callable[[str, Path], Any]  # videos, store


class ClipDataModule(L.LightningDataModule):
    """Training and test clips from a store; the Trainer must be made with `use_distributed_sampler=False`.

    batch_size: clips per device and step. workers: processes per device that read clips.
    test_share: part of the persons kept for validation and test, where the store does not say itself.
    samples: their augmentation is for training alone.
    test_clips: at most so many samples in a validation; 0 = all.
    whole_batches: a smaller last batch waits for the next epoch (one shape for compiled models).
    videos: folder, pattern or CSV, or a function that makes a manifest (as `public_sets.hdtf_manifest` does), from
    which `prepare_data` fills the store; finished work is never repeated. None: the store is there.
    prepare: called with (videos, store) to do so; by default `hallo-lit preprocess` with its default settings and with
    these encoders.
    encoders: what must have made the features, e.g. {"audio": Encoder.of(config)}; other stores are refused.
    """

    def __init__(
        self,
        store: str | Path,
        samples: SampleSpec = SampleSpec(),  # noqa: B008  (frozen)
        batch_size: int = 4,
        workers: int = 2,
        test_share: float = 0.1,
        test_clips: int = 0,
        whole_batches: bool = False,
        seed: int = 0,
        videos: str | Callable[[], Manifest] | None = None,
        prepare: Prepare | None = None,
        encoders: Mapping[str, Encoder] | None = None,
    ) -> None:
        super().__init__()
        self.store, self.samples, self.seed = Path(store), samples, seed
        self.batch_size, self.workers, self.whole_batches = batch_size, workers, whole_batches
        self.test_share, self.test_clips = test_share, test_clips
        self.videos, self.prepare, self.encoders = videos, prepare, encoders
        self.train_set: ClipDataset | None = None
        self.test_set: ClipDataset | None = None
        self._sampler: ClipSampler | None = None
        self._sampler_of: L.Trainer | None = None
        self._samples = ""  # fingerprint of what the sampler orders
        self._state: dict[str, Any] = {}

    def prepare_data(self) -> None:
        """Preprocesses what is missing, on one process per machine."""
        if self.videos is None:
            return
        videos = self.videos if isinstance(self.videos, str) else self._write_manifest(self.videos())
        if self.prepare is not None:
            self.prepare(videos, self.store)
            return
        from hallo_lit.data.preprocess.for_training import fill

        fill(videos, self.store, self.encoders or {})

    def _write_manifest(self, manifest: Manifest) -> str:
        if not manifest.rows:
            raise UserError(f"None of the listed videos can be used: {(*manifest.faults, 'the list is empty.')[0]}")
        path = self.store / "manifest.csv"
        manifest.save(path)
        if manifest.faults:
            notes = path.with_suffix(".faults.txt")
            notes.write_text("\n".join(manifest.faults) + "\n", encoding="utf-8")
            rank_zero_warn(f"{len(manifest.faults)} listed videos cannot be used, see {notes}.")
        return str(path)

    def setup(self, stage: str) -> None:
        """Opens the store; cheap, on every rank."""
        store = ClipStore(self.store)
        store.require(list(self.encoders or {}), self.encoders)
        sets: dict[str, ClipDataset | None] = {}
        for name, rows in split_rows(store, self.test_share, self.seed).items():
            samples = self.samples if name == "train" else replace(self.samples, augmentation=None)
            data = sets[name] = ClipDataset(store, samples, rows, self.seed) if rows else None
            if data is not None and data.skipped:
                needed = self.samples.policy.needed
                rank_zero_warn(f"{data.skipped} {name} clips are shorter than {needed} frames and left out.")
        self.train_set, self.test_set = sets["train"], sets["test"]

    def train_dataloader(self) -> DataLoader[ClipSample]:
        """Goes on where a loaded checkpoint stopped; with `overfit_batches`, the same first samples in every epoch."""
        data, sampler = self._train_set(), self._new_sampler()
        if getattr(self.trainer, "overfit_batches", 0) > 0:
            return ClipLoader(data, batch_sampler=list(sampler), **self._options())
        asked_again = self.trainer is not None and self._sampler_of is self.trainer
        state = self._state or (self.state_dict() if asked_again else {})
        self._sampler, self._sampler_of, self._samples, self._state = sampler, self.trainer, data.fingerprint(), {}
        if state and (state["seed"], state["samples"]) == (self.seed, self._samples):
            sampler.load_state_dict(state["sampler"])
        elif state:
            rank_zero_warn(
                f"The training clips of {self.store} or the seed have changed since the checkpoint was made: "
                "the order of samples begins anew."
            )
        return ClipLoader(data, batch_sampler=sampler, **self._options())

    def val_dataloader(self) -> DataLoader[ClipSample] | list[Any]:
        """The same draws every time, dealt out to the ranks; empty when all persons are in training."""
        if self.test_set is None:
            return []
        rank, world = self._rank()
        count = min(self.test_clips or len(self.test_set), len(self.test_set))
        even = -(-count // world) * world  # ranks that run out early would hang a sharded model: begin again instead
        mine = [Draw(0, place % count) for place in range(rank, even, world)]
        batches = [mine[i : i + self.batch_size] for i in range(0, len(mine), self.batch_size)]
        return ClipLoader(self.test_set, batch_sampler=batches, **self._options())

    def test_dataloader(self) -> DataLoader[ClipSample] | list[Any]:
        return self.val_dataloader()

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        return batch.to(device) if isinstance(batch, ClipBatch) else batch

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers: how far the stream of samples was read, and of which samples."""
        if self._sampler is None:
            return {}
        return {"sampler": self._sampler.state_dict(), "seed": self.seed, "samples": self._samples}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """To be followed by `train_dataloader`."""
        self._state = state_dict

    def _train_set(self) -> ClipDataset:
        if self.train_set is None:
            self.setup("fit")
        if self.train_set is None:
            raise UserError(f"All clips of {self.store} are kept for testing; lower test_share or change their split.")
        return self.train_set

    def _new_sampler(self) -> ClipSampler:
        trainer = self.trainer
        if trainer is not None and trainer.world_size > 1 and trainer._accelerator_connector.use_distributed_sampler:
            raise UserError(
                "Lightning would replace the order of samples; set trainer.use_distributed_sampler to false."
            )
        rank, world = self._rank()
        size = len(self._train_set())
        steps = None if trainer is None else _finished_steps(trainer)
        return ClipSampler(size, self.batch_size, self.seed, rank, world, self.whole_batches, steps)

    def _rank(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _options(self) -> dict[str, Any]:
        return {
            "num_workers": self.workers,
            "persistent_workers": self.workers > 0,
            "pin_memory": torch.cuda.is_available(),
            "collate_fn": ClipBatch.from_samples,
            "worker_init_fn": outlive_signals,
        }


class ClipLoader(DataLoader[ClipSample]):
    """A plain DataLoader that keeps the one sentence of a UserError raised in a worker, without the worker's trace."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        try:
            yield from super().__iter__()
        except UserError as error:
            name = f"{UserError.__module__}.{UserError.__qualname__}: "
            raise UserError(str(error).rpartition(name)[2].strip()) from error

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the datamodule keeps the state, and Lightning warns about loaders that have none."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing, see `state_dict`."""


def _finished_steps(trainer: L.Trainer) -> Callable[[], int]:
    """Training steps done so far; unlike what loaders hand out, never ahead of the training."""
    progress: Any = trainer.fit_loop.epoch_loop.batch_progress
    return lambda: int(progress.total.processed)
