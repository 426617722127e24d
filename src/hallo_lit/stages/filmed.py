"""Whole clips of a store as inference would meet them: a portrait, its audio, the true frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hallo_lit.data.clips import ClipIndices, audio_rows
from hallo_lit.data.dataset import ClipDataset
from hallo_lit.data.frames import reader
from hallo_lit.data.masks import locator, region_masks
from hallo_lit.data.sound import sound_of
from hallo_lit.structs import Portrait

FPS = 25


@dataclass(frozen=True)
class Filmed:
    """frames (f, 3, H, W) in [-1, 1] or latents (f, c, h, w), the first of them the portrait; windows (f, w, layers,
    d); sound (samples,) at 16 kHz, where the store has it."""

    name: str
    portrait: Portrait
    frames: Tensor
    windows: Tensor
    sound: Tensor | None
    expression: Tensor | None = None  # (f, k) controls of an ExpressionNet, where the samples have them


def first_clips(data: ClipDataset, count: int, frames: int) -> list[Filmed]:
    """The first frames of the first clips, each of another recording, the same at every call."""
    rows = list(dict.fromkeys(int(row) for row in data.rows))[:count]
    return [film(data, row, frames) for row in rows]


def film(data: ClipDataset, row: int, frames: int) -> Filmed:
    """`frames` frames from the start of a clip, or as many as it has."""
    clip, policy = data.store[row], data.policy
    count = min(frames, clip.row.frames)
    span = range(count)
    seen = reader(data.source, data.size)(clip, 0, count, torch.Generator().manual_seed(0))
    windows = torch.zeros(count, 2 * policy.audio_radius + 1, 0, 0)
    if data.spec.audio:
        wanted, places = audio_rows(span, clip.row.frames, policy.audio_radius)
        windows = torch.from_numpy(clip.read("audio", wanted.start, wanted.stop)).float()[torch.tensor(places)]
    masks = region_masks(clip, ClipIndices(range(1), (), 0), data.spec.masks)
    portrait = Portrait(
        seen[0],
        masks[0] if masks.ndim == 4 else masks,
        locator(clip, data.size),
        torch.from_numpy(np.array(clip.read("identity"))),
        (0, 0, data.size[1], data.size[0]),
    )
    heard = sound_of(clip, 0, count)
    sound = None if heard is None else torch.from_numpy(heard)
    shown = data.expression(clip, ClipIndices(span, (), 0)) if data.spec.expression else None
    return Filmed(data.store.source(row), portrait, seen, windows, sound, shown)
