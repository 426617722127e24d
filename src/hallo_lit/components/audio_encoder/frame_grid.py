"""Brings features from their own rate to the video's, without holding a whole recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor


def to_frames(blocks: Iterable[Tensor], positions: int, frames: int) -> Iterator[Tensor]:
    """Linear interpolation with aligned end points: frame i reads position i (positions - 1) / (frames - 1).

    blocks are consecutive (n, c) rows, `positions` in all; yields (n, c) blocks, `frames` rows in all. Positions are
    computed in float64, so a frame's value does not depend on how the blocks are cut.
    """
    at = torch.arange(frames, dtype=torch.float64) * (positions - 1) / max(frames - 1, 1)
    low = at.floor().long().clamp(max=max(positions - 2, 0))
    high = (low + 1).clamp(max=positions - 1)
    weight = (at - low)[:, None]
    held: Tensor | None = None
    first = done = 0
    for block in blocks:
        held = block if held is None else torch.cat([held, block])
        ready = int(torch.searchsorted(high, first + len(held)))
        if ready > done:
            below, above = held[low[done:ready] - first], held[high[done:ready] - first]
            yield below.lerp(above, weight[done:ready].to(held))
            done = ready
        if done < frames:
            passed = min(int(low[done]) - first, len(held))
            held, first = held[passed:], first + passed
