"""Speech for the model: mono float at one rate, whole or streamed, always the same samples.

Channels are averaged and libswresample converts the rate with its state kept over the whole stream, so
`torch.cat(list(stream_audio(path)))` equals `read_audio(path)` to the bit whatever the chunk length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.media.decode import decode_audio

SILENCE = 10 ** (-70 / 20)  # peak below -70 dB of full scale


@dataclass(frozen=True)
class AudioInfo:
    """What one pass over a recording finds: samples at `rate`, peak of the mono mix with full scale 1.0."""

    samples: int
    rate: int
    peak: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples / self.rate


def read_audio(path: str | Path, rate: int = 16000, allow_silence: bool = False) -> Tensor:
    """(samples,) mono float32 of a recording or the sound track of a video, in time with its first picture.

    Raises UserError for everything `stream_audio` and `check_audio` refuse; silence passes if allowed.
    """
    wave = torch.cat(list(stream_audio(path, rate)))
    _require_speech(Path(path), len(wave) / rate, float(wave.abs().max()), fps=25, allow_silence=allow_silence)
    return wave


def stream_audio(path: str | Path, rate: int = 16000, seconds: float = 10.0) -> Iterator[Tensor]:
    """Consecutive chunks of `seconds` (the last may be shorter) of what `read_audio` returns, in constant memory.

    Raises UserError for missing, foreign, damaged, truncated or NaN recordings, some of them only at the end: call
    `check_audio` first where that is too late.
    """
    size = max(1, round(seconds * rate))
    waiting: list[NDArray[np.float32]] = []
    count = 0
    for piece in _mono(Path(path), rate):
        while count + len(piece) >= size:
            waiting.append(piece[: size - count])
            yield torch.from_numpy(np.concatenate(waiting))
            piece = piece[size - count :]
            waiting, count = [], 0
        waiting.append(piece)
        count += len(piece)
    if count:
        yield torch.from_numpy(np.concatenate(waiting))


def inspect_audio(path: str | Path, rate: int = 16000) -> AudioInfo:
    """One pass over the whole recording in constant memory; raises what `stream_audio` raises."""
    samples, peak = 0, 0.0
    for chunk in stream_audio(path, rate):
        samples += len(chunk)
        peak = max(peak, float(chunk.abs().max()))
    return AudioInfo(samples, rate, peak)


def check_audio(path: str | Path, rate: int = 16000, fps: float = 25) -> AudioInfo:
    """`inspect_audio`, and UserError too for a silent recording or one shorter than a video frame."""
    info = inspect_audio(path, rate)
    _require_speech(Path(path), info.duration, info.peak, fps, allow_silence=False)
    return info


def duration(path: str | Path) -> float:
    """Seconds of sound, counted by decoding: headers of MP3 and of damaged files cannot be trusted."""
    return inspect_audio(path).duration


def frame_count(samples: int, rate: int = 16000, fps: float | Fraction = 25) -> int:
    """Video frames for that much sound: round(duration * fps), computed exactly."""
    return round(Fraction(samples, rate) * Fraction(fps))


def _require_speech(path: Path, seconds: float, peak: float, fps: float, allow_silence: bool) -> None:
    if seconds * fps < 1:
        raise UserError(f"{path} lasts {seconds:.3f} s, less than one video frame ({1 / fps:.3f} s); give a longer one")
    if peak < SILENCE and not allow_silence:
        raise UserError(f"{path} is silent (below -70 dB throughout); give a recording with speech")


def _mono(path: Path, rate: int) -> Iterator[NDArray[np.float32]]:
    """Mono pieces at `rate`, in total exactly round(duration * rate) samples."""
    converter, source_rate, exact, sent = None, 0, Fraction(0), 0
    for block in decode_audio(path):
        if converter is None or block.rate != source_rate:
            if converter is not None:
                tail = _arrays(converter.resample(None))[: round(exact) - sent]
                sent += len(tail)
                yield tail
            converter, source_rate = AudioResampler(format="fltp", layout="mono", rate=rate), block.rate
        exact += Fraction(block.samples.shape[1] * rate, block.rate)
        piece = _arrays(converter.resample(_mono_frame(block.samples.mean(0), block.rate)))
        sent += len(piece)
        yield piece
    tail = _arrays(converter.resample(None)) if converter else np.empty(0, np.float32)
    missing = round(exact) - sent
    yield np.pad(tail[:missing], (0, max(0, missing - len(tail))))


def _mono_frame(samples: NDArray[np.float32], rate: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), format="fltp", layout="mono")
    frame.sample_rate = rate
    return frame


def _arrays(frames: list[AudioFrame]) -> NDArray[np.float32]:
    return np.concatenate([np.empty(0, np.float32), *(np.asarray(f.to_ndarray()[0], np.float32) for f in frames)])
