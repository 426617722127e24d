"""Small stores of known content for the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hallo_lit.data.store import ClipItem, Encoder, StoreSpec, StoreWriter

AUDIO = Encoder.of({"_target_": "some.package.LogMel", "bands": 8})
SPEC = StoreSpec(("audio",), {"audio": AUDIO})
SIZE = (16, 24)
LENGTHS = tuple(range(20, 48))  # frames of 28 clips


def tensors(frames: int, seed: int = 0, latents: bool = False, size: tuple[int, int] = SIZE) -> dict[str, np.ndarray]:
    """Every row of a per-frame tensor carries its frame number: pixel and audio values tell where they come from."""
    random = np.random.default_rng(seed)
    number = np.arange(frames)
    height, width = size
    made: dict[str, np.ndarray] = {
        "pixels": np.broadcast_to(number[:, None, None, None] % 256, (frames, height, width, 3)).astype(np.uint8),
        "audio": np.broadcast_to(number[:, None, None], (frames, 2, 8)).astype(np.float16),
        "identity": random.normal(size=12).astype(np.float32),
        "locator": np.array([6, 2, 18, 14], np.float32),
        "regions": random.integers(0, 256, (3, 8, 8), dtype=np.uint8),
    }
    if latents:
        mean = np.broadcast_to(number[:, None, None, None], (frames, 4, height // 8, width // 8))
        made["latents_mean"] = mean.astype(np.float16)
        made["latents_std"] = np.full_like(made["latents_mean"], 0.125)
    return made


def item(frames: int = 30, seed: int = 0, identity: str = "anna", **other: Any) -> ClipItem:
    given: Mapping[str, Any] = other.pop("tensors", None) or tensors(frames, seed)
    other.setdefault("id", f"{seed:032x}")
    return ClipItem(f"{identity}/clip {seed}.mp4", identity, frames, other.pop("size", SIZE), given, **other)


def make_store(root: Path, lengths: Sequence[int] = (30, 40), people: int = 2, latents: bool = False) -> Path:
    """One clip per length, persons p0, p1, ... in turn."""
    with StoreWriter(root, SPEC) as writer:
        for seed, frames in enumerate(lengths):
            writer.add(item(frames, seed, f"p{seed % people}", tensors=tensors(frames, seed, latents)))
    return root
