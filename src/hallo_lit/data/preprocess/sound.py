"""Pieces of a long sound track, in order, without holding the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from hallo_lit.signals.lip_audio import RATE


class SoundReader:
    """Cuts [start, end) seconds out of a stream of 16 kHz chunks; starts must not go back, ranges may overlap.

    Times are counted from `origin` seconds after the beginning of the stream.
    """

    def __init__(self, chunks: Iterable[Tensor], origin: float = 0.0) -> None:
        self._chunks: Iterator[Tensor] = iter(chunks)
        self._origin = origin
        self._held = torch.zeros(0)
        self._begin = 0  # sample at which `_held` starts

    def cut(self, start: float, end: float) -> Tensor:
        """(samples,) of that time; what lies beyond the end of the recording is silence.

        Raises:
            ValueError: `start` lies before what was given away earlier.
        """
        first, last = round((self._origin + start) * RATE), round((self._origin + end) * RATE)
        if first < self._begin:
            raise ValueError(f"sample {first} was passed already; the reader is at {self._begin}")
        while self._begin + len(self._held) < last:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            keep = max(0, min(len(self._held), first - self._begin))
            self._begin += keep
            self._held = torch.cat([self._held[keep:], chunk])
        skip = min(len(self._held), first - self._begin)
        self._held, self._begin = self._held[skip:], self._begin + skip
        piece = self._held[: last - first]
        return torch.nn.functional.pad(piece, (0, last - first - len(piece)))
