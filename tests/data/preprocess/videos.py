"""Videos of a real face (the public-domain astronaut), moved about and spoilt in every way."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from hallo_lit.components.vae import LatentCodec


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    fps: float = 25,
    wave: np.ndarray | None = None,
    times: list[float] | None = None,
    rotation: int = 0,
) -> Path:
    """H.264 and AAC (16 kHz mono `wave`), by default frame i at i / fps; `rotation` is the flag, not the pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as output:
        video = sound = None
        for index, pixels in enumerate(frames):
            if video is None:
                rate = Fraction(fps).limit_denominator(1001)
                video = output.add_stream("libx264", rate=rate, options={"crf": "14", "preset": "ultrafast"})
                video.height, video.width = pixels.shape[:2]
                video.pix_fmt = "yuv420p"
                video.codec_context.time_base = Fraction(1, 12000)
                if rotation:
                    video.set_display_rotation(rotation)
                sound = output.add_stream("aac", rate=16000, layout="mono") if wave is not None else None
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = round((times[index] if times else index / fps) * 12000)
            frame.time_base = Fraction(1, 12000)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound is not None:
            samples = av.AudioFrame.from_ndarray(np.float32(wave)[None], format="fltp", layout="mono")
            samples.sample_rate, samples.pts = 16000, 0
            output.mux(sound.encode(samples))
            output.mux(sound.encode(None))
    return path


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise in syllables."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * 16000)) / 16000
    return (0.2 * rng.standard_normal(len(t)) * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * t))).astype(np.float32)


def astronaut(
    size: tuple[int, int] = (240, 320), face: float = 130, at: tuple[float, float] = (160, 115)
) -> np.ndarray:
    """A picture (height, width) in which her face is `face` pixels high (hairline to chin) and centred at (x, y)."""
    from skimage import data

    scale = face / 112
    matrix = np.array([[scale, 0, at[0] - scale * 222], [0, scale, at[1] - scale * 112]])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(data.astronaut(), matrix, size[::-1], flags=way, borderMode=cv2.BORDER_REFLECT)


def swaying(count: int, fps: float = 25, **place) -> Iterable[np.ndarray]:
    """The face of `astronaut` drifting by a few pixels."""
    x, y = place.pop("at", (160, 115))
    for i in range(count):
        yield astronaut(
            at=(x + 5 * np.sin(2 * np.pi * 0.4 * i / fps), y + 2 * np.sin(2 * np.pi * 0.7 * i / fps)), **place
        )


def seeded_codec(seed: int) -> LatentCodec:
    """The same small codec whenever it is asked for."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LatentCodec((8, 8), layers=1, groups=4).eval()
