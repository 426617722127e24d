"""Pairs of aligned faces of one person, from a clip store with pictures and landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hallo_lit.components.face_encoder.conv import ConvFaceEncoder
from hallo_lit.data.sampler import ClipSampler, Draw
from hallo_lit.data.seeding import seed_of
from hallo_lit.data.splits import split_rows
from hallo_lit.data.store_reader import ClipStore
from hallo_lit.data.workers import outlive_signals
from hallo_lit.errors import UserError


@dataclass(frozen=True)
class FacePairs:
    """views (b, 2, 3, size, size) in [-1, 1], two per person; index (b,) of the persons; persons differ in a batch."""

    views: Tensor
    index: Tensor

    def to(self, device: torch.device | str) -> FacePairs:
        return FacePairs(self.views.to(device, non_blocking=True), self.index)

    def pin_memory(self) -> FacePairs:
        return FacePairs(self.views.pin_memory(), self.index)


class FacePairDataset(Dataset[tuple[Tensor, int]]):
    """One sample per person: two frames from any of the person's clips. What a draw gives depends on (seed, draw)."""

    def __init__(self, store: ClipStore, rows: list[int], encoder: ConvFaceEncoder, seed: int) -> None:
        store.require(["pixels", "landmarks"])
        self.store, self.encoder, self.seed = store, encoder, seed
        people: dict[str, list[int]] = {}
        for row in rows:
            people.setdefault(store.identity(row), []).append(row)
        self.people = list(people.values())

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, int]:
        random = Random(seed_of("faces", self.seed, draw.epoch, draw.sample))
        return torch.stack([self._face(random, draw.sample) for _ in range(2)]), draw.sample

    def _face(self, random: Random, person: int) -> Tensor:
        clip = self.store[random.choice(self.people[person])]
        frame = random.randrange(clip.row.frames)
        pixels = np.ascontiguousarray(clip.read("pixels", frame, frame + 1)[0])
        points = clip.read("landmarks", frame, frame + 1)[0].astype(np.float64)
        return self.encoder.prepare(pixels, points)


class FacePairModule(L.LightningDataModule):
    """Training and test persons of a store; sampling resumes exactly. batch_size: persons per device and step."""

    def __init__(
        self,
        store: str | Path,
        encoder: ConvFaceEncoder,
        batch_size: int = 32,
        workers: int = 2,
        test_share: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.store, self.encoder, self.batch_size, self.workers = Path(store), encoder, batch_size, workers
        self.test_share, self.seed = test_share, seed
        self.sets: dict[str, FacePairDataset] = {}
        self._sampler: ClipSampler | None = None
        self._state: dict[str, int] | None = None

    def setup(self, stage: str) -> None:
        """
        Raises:
            UserError: no such store, one without pictures or landmarks, or too few persons to tell apart.
        """
        store = ClipStore(self.store)
        split = split_rows(store, self.test_share, self.seed)
        self.sets = {
            name: FacePairDataset(store, list(rows), self.encoder, self.seed) for name, rows in split.items() if rows
        }
        if len(self.sets.get("train", ())) < 2:
            raise UserError(f"{self.store} shows fewer than two persons to train on; a face encoder must tell apart.")

    def train_dataloader(self) -> DataLoader[Any]:
        trainer: Any = self.trainer
        progress = trainer.fit_loop.epoch_loop.batch_progress
        self._sampler = ClipSampler(
            len(self.sets["train"]),
            min(self.batch_size, len(self.sets["train"]) // trainer.world_size),
            self.seed,
            trainer.global_rank,
            trainer.world_size,
            whole_batches=True,
            steps=lambda: int(progress.total.processed),
        )
        if self._state is not None:
            self._sampler.load_state_dict(self._state)
        return DataLoader(self.sets["train"], batch_sampler=self._sampler, **self._options())

    def val_dataloader(self) -> Any:
        if "test" not in self.sets or len(self.sets["test"]) < 2:
            return []
        return DataLoader(
            self.sets["test"], batch_sampler=[[Draw(0, i) for i in range(len(self.sets["test"]))]], **self._options()
        )

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        return batch.to(device)

    def state_dict(self) -> dict[str, Any]:
        return {} if self._sampler is None else {"sampler": self._sampler.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._state = state_dict.get("sampler")

    def _options(self) -> dict[str, Any]:
        return {
            "num_workers": self.workers,
            "persistent_workers": self.workers > 0,
            "collate_fn": _collate,
            "worker_init_fn": outlive_signals,
        }


def _collate(samples: list[tuple[Tensor, int]]) -> FacePairs:
    return FacePairs(torch.stack([views for views, _ in samples]), torch.tensor([person for _, person in samples]))
