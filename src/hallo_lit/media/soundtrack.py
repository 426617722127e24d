"""The sound of a written video: AAC, exactly as long as the pictures, fed in step with them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from numpy.typing import NDArray
from torch import Tensor

from hallo_lit.media.decode import Block, decode_audio

RATES = (16000, 22050, 24000, 32000, 44100, 48000)  # of AAC, that every player knows
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


@dataclass(frozen=True)
class Sound:
    """What is heard: a file with sound, or (samples,) or (channels, samples) in -1..1 at `rate`."""

    source: Path | Tensor
    rate: int = 16000


class SoundTrack:
    """One AAC stream of `output`: mono stays mono, everything wider becomes stereo, high rates become 48 kHz."""

    def __init__(self, output: OutputContainer, sound: Sound, kbps: int) -> None:
        """kbps counts for stereo, half of it for mono. Raises UserError where the file has no sound to give."""
        source = sound.source
        self.blocks = decode_audio(source) if isinstance(source, Path) else _slices(source, sound.rate)
        first = next(self.blocks, None)
        if first is None:
            raise ValueError("the sound has no samples")
        self.rate = next((rate for rate in RATES if rate >= first.rate), RATES[-1])
        self.layout = "mono" if len(first.samples) == 1 else "stereo"
        self.output = output
        self.stream = output.add_stream(
            "aac", rate=self.rate, layout=self.layout, bit_rate=kbps * 500 * (1 + (self.layout == "stereo"))
        )
        self.pieces = self._converted(first)
        self.sent = 0  # samples per channel

    def advance(self, seconds: Fraction) -> None:
        """Encodes sound up to that time; as long as there is some."""
        while self.sent < seconds * self.rate and (piece := next(self.pieces, None)) is not None:
            self._send(piece)

    def finish(self, seconds: Fraction) -> None:
        """Encodes the rest, cut or filled with silence to end at that time."""
        end = round(seconds * self.rate)
        while self.sent < end:
            silence = np.zeros((1 + (self.layout == "stereo"), self.rate), np.float32)
            piece = next(self.pieces, silence)
            self._send(piece[:, : end - self.sent])
        self.pieces.close()
        self.output.mux(self.stream.encode(None))

    def _send(self, samples: NDArray[np.float32]) -> None:
        if samples.shape[1]:
            frame = _frame(samples, self.rate, self.layout)
            frame.pts, frame.time_base = self.sent, Fraction(1, self.rate)
            self.sent += samples.shape[1]
            self.output.mux(self.stream.encode(frame))

    def _converted(self, block: Block) -> Generator[NDArray[np.float32], None, None]:
        """Blocks at the rate and layout of this track; pieces of at most a second."""
        converter, shape = None, (0, 0)
        while True:
            if (len(block.samples), block.rate) != shape:
                if converter is not None:
                    yield from self._arrays(converter.resample(None))
                shape = (len(block.samples), block.rate)
                options = {"rematrix_maxval": "1.0"} if shape[0] > 2 else None  # else a downmix may clip
                converter = AudioResampler(format="fltp", layout=self.layout, rate=self.rate, options=options)
            assert converter is not None
            samples = block.samples if len(block.samples) in LAYOUTS else block.samples.mean(0, keepdims=True)
            yield from self._arrays(converter.resample(_frame(samples, block.rate, LAYOUTS[len(samples)])))
            following = next(self.blocks, None)
            if following is None:
                yield from self._arrays(converter.resample(None))
                return
            block = following

    def _arrays(self, frames: list[AudioFrame]) -> Iterator[NDArray[np.float32]]:
        for frame in frames:
            yield np.asarray(frame.to_ndarray(), np.float32)


def _frame(samples: NDArray[np.float32], rate: int, layout: str) -> AudioFrame:
    packed = np.ascontiguousarray(samples.T, np.float32).reshape(1, -1)
    frame = AudioFrame.from_ndarray(packed, format="flt", layout=layout)
    frame.sample_rate = rate
    return frame


def _slices(wave: Tensor, rate: int) -> Iterator[Block]:
    samples = np.atleast_2d(wave.detach().cpu().float().numpy())
    for start in range(0, samples.shape[1], rate):
        yield Block(samples[:, start : start + rate], rate)
