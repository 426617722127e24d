"""What every audio encoder promises, and the arithmetic between samples, video frames and clips that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Protocol

import torch
from torch import Tensor

RATE = 16_000
"""Samples per second of every wave in this package."""
FPS = 25

OpenChunks = Callable[[], Iterable[Tensor]]
"""Starts the same recording over at each call and yields it as consecutive (samples,) pieces of any length."""


class AudioEncoder(Protocol):
    """Sound -> one row of features per video frame, on the CPU in fp32.

    Frame i shows the time from i / fps. Frames that lie beyond the end of the recording hear silence; when fewer
    frames are asked for than the recording lasts, they are its first ones. `stream` gives the same rows block by block,
    with memory that does not grow with the recording; it opens the recording more than once because level statistics
    of the whole come before the first row. Both raise `UserError` for sound that is too short or has NaN samples.
    """

    layers: int
    width: int

    def __call__(self, wave: Tensor, frames: int) -> Tensor:
        """wave (samples,) mono at 16 kHz -> (frames, layers, width)."""

    def stream(self, open_chunks: OpenChunks, frames: int) -> Iterator[Tensor]:
        """Yields (n, layers, width) blocks, `frames` rows in all."""


def window(features: Tensor, radius: int = 2) -> Tensor:
    """(f, layers, width) -> (f, 2 radius + 1, layers, width): frames i - radius .. i + radius, clamped at both ends."""
    frame = torch.arange(len(features))[:, None] + torch.arange(-radius, radius + 1)
    return features[frame.clamp(0, len(features) - 1)]


def clip_windows(blocks: Iterable[Tensor], clip_frames: int, radius: int = 2) -> Iterator[Tensor]:
    """`window` of a stream, cut into clips: yields (clip_frames, 2 radius + 1, layers, width), the last maybe shorter.

    Only the two ends of the whole stream are clamped; neighbouring clips see each other's frames.
    """
    for rows in overlapping(_repeat_ends(blocks, radius), clip_frames + 2 * radius, clip_frames):
        yield rows.unfold(0, 2 * radius + 1, 1).movedim(-1, 1)


def _repeat_ends(blocks: Iterable[Tensor], count: int) -> Iterator[Tensor]:
    last: Tensor | None = None
    for block in blocks:
        if last is None:
            yield block[:1].expand(count, *block.shape[1:])
        last = block[-1:]
        yield block
    if last is not None:
        yield last.expand(count, *last.shape[1:])


def overlapping(parts: Iterable[Tensor], length: int, step: int) -> Iterator[Tensor]:
    """Entries [k step, k step + length) of the joined parts for k = 0, 1, ..., however the parts are cut.

    The last piece may be shorter; it always has entries that no piece before it had. `length` is at least `step`.
    """
    held: list[Tensor] = []
    count, fresh = 0, True
    for part in parts:
        held.append(part)
        count += len(part)
        if count < length:
            continue
        joined = torch.cat(held)
        while len(joined) >= length:
            yield joined[:length]
            joined, fresh = joined[step:], False
        held, count = [joined], len(joined)
    if count > (0 if fresh else length - step):
        yield torch.cat(held)


def frame_times(frames: int, fps: int = FPS) -> Tensor:
    """(frames,) float64 seconds at which each frame appears; it stays until the next one does."""
    return torch.arange(frames, dtype=torch.float64) / fps


def covered_frames(samples: int, fps: int = FPS) -> int:
    """Frames in which any sample sounds: the ceiling of duration times fps, in exact arithmetic.

    The original rounds in floating point, which makes one frame too many for some lengths (8 960 samples: 15, not 14).
    """
    return -(-samples * fps // RATE)


def missing_samples(samples: int, frames: int, fps: int = FPS) -> int:
    """Zeros to append so that `frames` frames are covered, by the original's rule: whole frames, counted from
    `covered_frames`, so the last one that is covered in part is not filled up first."""
    return max(0, frames - covered_frames(samples, fps)) * RATE // fps


def pad_to_clips(wave: Tensor, frames: int, clip_frames: int, fps: int = FPS) -> tuple[Tensor, int]:
    """The original's padding to whole clips: zeros *after* normalisation, and the frame count rounded up.

    wave (samples,) is already normalised and lasts `frames` frames; `clip_frames` below 1 means no padding.
    """
    extra = -frames % clip_frames if clip_frames > 0 else 0
    return torch.cat([wave, wave.new_zeros(extra * RATE // fps)]), frames + extra


def silence(samples: int, block: int = RATE) -> Iterator[Tensor]:
    """Zeros in pieces, to be chained to a recording."""
    return chain((torch.zeros(block) for _ in range(samples // block)), (torch.zeros(samples % block),))
