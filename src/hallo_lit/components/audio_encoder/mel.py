"""Log-mel spectrogram columns grouped by video frame: an audio encoder without weights."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor

from hallo_lit.components.audio_encoder.base import FPS, RATE, OpenChunks, overlapping, silence
from hallo_lit.components.audio_encoder.loudness import Loudness
from hallo_lit.errors import UserError

FFT = 512
WINDOW = 400
"""Samples (25 ms) that one column hears."""
BLOCK = 250
"""Frames per block; fixed, so that a stream gives the same bits as a whole file."""


class LogMel:
    """`layers` mel columns per frame, oldest first, `width` bands each.

    The columns of frame i are centred on the middles of `layers` equal parts of the time it is shown (10 ms each by
    default), so neighbouring frames never share one. The recording is brought to zero mean and unit variance first,
    which makes features independent of its level down to -60 dBFS; what is below `floor` after that counts as silence.
    `mean` and `std` are those of read speech, so that values lie around -1.3 (silence) to 3 (loud vowels).
    """

    def __init__(
        self,
        layers: int = 4,
        width: int = 32,
        fps: int = FPS,
        low: float = 50.0,
        high: float = 7600.0,
        floor: float = 0.1,
        mean: float = 2.0,
        std: float = 3.3,
    ) -> None:
        """`low` and `high` in Hz.

        Raises:
            UserError: fps * layers does not divide 16 000, or the bands leave 0 to 8 000 Hz.
        """
        if RATE % (fps * layers):
            raise UserError(
                f"log_mel cannot cut {RATE} samples per second into {fps} frames of {layers} columns; "
                "choose layers so that fps * layers divides it."
            )
        if not 0 <= low < high <= RATE / 2:
            raise UserError(f"log_mel needs 0 <= low < high <= {RATE // 2} Hz, but low is {low} and high is {high}.")
        from torchaudio.transforms import MelSpectrogram

        self.layers, self.width, self.fps = layers, width, fps
        self.floor, self.mean, self.std = floor, mean, std
        self.hop = RATE // (fps * layers)
        self._mel = MelSpectrogram(
            RATE, FFT, WINDOW, self.hop, f_min=low, f_max=high, n_mels=width, power=2.0, center=False
        )

    def __call__(self, wave: Tensor, frames: int) -> Tensor:
        """wave (samples,) -> (frames, layers, width); see `AudioEncoder`."""
        return torch.cat(list(self.stream(lambda: wave.split(RATE), frames)))

    @torch.no_grad()
    def stream(self, open_chunks: OpenChunks, frames: int) -> Iterator[Tensor]:
        """Opens the recording twice: for its level, then for the features."""
        loudness = Loudness.of(open_chunks())
        if not loudness.samples:
            raise UserError("The sound is empty.")
        before = (FFT - self.hop) // 2
        normal = loudness.standardised(open_chunks(), floor=1e-6)
        after = max(0, frames * self.layers * self.hop - loudness.samples) + FFT
        padded = chain(silence(before), normal, silence(after))
        columns, done = BLOCK * self.layers, 0
        for piece in overlapping(padded, (columns - 1) * self.hop + FFT, columns * self.hop):
            count = min(BLOCK, frames - done)
            power = self._mel(piece)[:, : count * self.layers].T
            yield ((power + self.floor).log() - self.mean).div(self.std).unflatten(0, (count, self.layers))
            done += count
            if done == frames:
                return
