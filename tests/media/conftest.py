"""Recordings and clips made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.media import audio
from hallo_lit.media.video import VideoWriter


def _sweep(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """(n, channels) a chirp of 100 to 3000 Hz, the same at any rate, with a click-free start and end."""
    t = np.arange(round(seconds * rate)) / rate
    wave = 0.4 * np.sin(2 * np.pi * (100 * t + (2900 / seconds) * t**2 / 2))
    fade = np.clip(np.minimum(t, seconds - t) / 0.02, 0, 1)
    return np.repeat((wave * fade)[:, None], channels, 1).astype(np.float32)


def _encode_audio(path: Path, wave: np.ndarray, rate: int, codec: str, container: str) -> Path:
    """Encodes (n, channels) floats with PyAV."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[wave.shape[1]]
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        converter = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave.T), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        for part in [*converter.resample(frame), *converter.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Path]:
    """make_video(path, frames (n, H, W, 3), times in seconds, wave, audio_start): H.264 with B-frames, and sound."""

    def make(
        path: Path,
        frames: np.ndarray,
        fps: float = 25,
        times: list[float] | None = None,
        wave: np.ndarray | None = None,
        audio_start: float = 0.0,
        rotation: int = 0,
        codec: str = "libx264",
        options: dict[str, str] | None = None,
        ticks: int = 12000,
    ) -> Path:
        settings = {"crf": "12", "g": "12", **(options or {})}
        with av.open(str(path), "w") as output:
            video = output.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=settings)
            video.height, video.width = frames.shape[1:3]
            video.pix_fmt = "yuv420p"
            video.codec_context.time_base = Fraction(1, ticks)
            if rotation:
                video.set_display_rotation(rotation)
            sound = output.add_stream("aac", rate=48000, layout="mono") if wave is not None else None
            for index, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                frame.pts = round((times[index] if times else index / fps) * ticks)
                frame.time_base = Fraction(1, ticks)
                output.mux(video.encode(frame))
            output.mux(video.encode(None))
            if sound is not None:
                samples = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave.T), format="fltp", layout="mono")
                samples.sample_rate, samples.time_base = 48000, Fraction(1, 48000)
                samples.pts = round(audio_start * 48000)
                output.mux(sound.encode(samples))
                output.mux(sound.encode(None))
        return path

    return make


def _counting_frames(count: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """(count, H, W, 3): frame i carries i in eight black or white bars, so that it can be read back after encoding."""
    frames = np.zeros((count, *size, 3), np.uint8)
    for index in range(count):
        for bit in range(8):
            frames[index, :, bit * size[1] // 8 : (bit + 1) * size[1] // 8] = 255 * (index >> bit & 1)
    return frames


def _read_count(frame: np.ndarray) -> int:
    """The number that `counting_frames` wrote."""
    bars = frame.mean(axis=(0, 2)).reshape(8, -1).mean(1) > 127
    return int((bars * 2 ** np.arange(8)).sum())


@pytest.fixture(scope="session")
def sweep() -> Callable[..., np.ndarray]:
    return _sweep


@pytest.fixture(scope="session")
def encode_audio() -> Callable[..., Path]:
    return _encode_audio


@pytest.fixture(scope="session")
def counting_frames() -> Callable[..., np.ndarray]:
    return _counting_frames


@pytest.fixture(scope="session")
def read_count() -> Callable[[np.ndarray], int]:
    return _read_count


@pytest.fixture(scope="session")
def correlation() -> Callable[[torch.Tensor], float]:
    """With the ideal chirp of 2 s at 16 kHz, at no shift: a delay of half a millisecond would ruin it."""
    ideal = _sweep(2, 16000)[:, 0]

    def measure(wave: torch.Tensor) -> float:
        n = min(len(wave), len(ideal))
        return float(np.corrcoef(wave.numpy()[:n], ideal[:n])[0, 1])

    return measure


@pytest.fixture(scope="session")
def refused() -> Callable[..., None]:
    """refused(path, pattern): reading and checking the sound give one sentence that names the file and a remedy."""

    def check(path: Path, pattern: str) -> None:
        for read in (audio.read_audio, audio.check_audio):
            with pytest.raises(UserError, match=pattern) as caught:
                read(path)
            assert str(path) in str(caught.value)
            assert "\n" not in str(caught.value)
            assert ";" in str(caught.value)

    return check


def _smooth(index: int, size: tuple[int, int] = (64, 96)) -> np.ndarray:
    """A colourful picture without hard edges that moves with index."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    waves = [np.sin(x / 20 + index / 10), np.cos(y / 25 + index / 7), np.sin((x + y) / 30)]
    return (127 + 120 * np.stack(waves, -1)).astype(np.uint8)


@pytest.fixture(scope="session")
def smooth() -> Callable[..., np.ndarray]:
    return _smooth


@pytest.fixture(scope="session")
def write() -> Callable[..., None]:
    """write(path, count, size, start, **options of VideoWriter): `smooth` frames start, start + 1, ..."""

    def make(path: Path, count: int, size: tuple[int, int] = (64, 96), start: int = 0, **options: Any) -> None:
        with VideoWriter(path, size, **options) as writer:
            for index in range(start, start + count):
                writer.write(_smooth(index, size))

    return make


@pytest.fixture(scope="session")
def psnr() -> Callable[[np.ndarray, np.ndarray], float]:
    def measure(a: np.ndarray, b: np.ndarray) -> float:
        return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-6)))

    return measure


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A smooth colour picture, 48 rows x 64 columns, whose four corners differ."""
    y, x = np.mgrid[0:48, 0:64]
    return np.stack([x * 4, y * 5, 255 - x * 2 - y], axis=-1).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def resident() -> Callable[[], float]:
    """Memory of this process now, in MB."""
    process = psutil.Process()
    return lambda: process.memory_info().rss / 1e6
