"""Small videos whose true numbers are known, and metrics that need no face to measure them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from hallo_lit.media.video import VideoWriter
from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.frechet import FrechetMetric
from hallo_lit.metrics.video import Unmeasurable, Video

SIDE = 48


def write(path: Path, level: int = 100, frames: int = 12, fps: float = 25, side: int = SIDE) -> Path:
    """A grey video with a tone; its frames brighten by one grey level each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = torch.from_numpy(np.sin(np.arange(round(frames / fps * 16000)) / 8).astype(np.float32)) / 3
    with VideoWriter(path, (side, side), fps, tone, {}) as writer:
        for i in range(frames):
            writer.write(np.full((side, side, 3), level + i, np.uint8))
    return path


def folder(place: Path, levels: Mapping[str, int]) -> Path:
    """One video per name."""
    for name, level in levels.items():
        write(place / f"{name}.mp4", level)
    return place


class Brightness(ClipMetric):
    """Mean grey level, and its difference to the real clip's."""

    columns = ("grey", "off")

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        own = self.of(fake)
        if own < 20:
            raise Unmeasurable("it is dark")
        return {"grey": own, "off": np.nan if real is None else own - self.of(real)}

    def of(self, video: Video) -> float:
        return float(np.mean([frame.mean() for frame in video.frames()]))


class GreyDistance(FrechetMetric):
    """Fréchet distance of the grey levels of a corner and of the middle."""

    def __init__(self) -> None:
        super().__init__("grey_fd", 2)

    def measure(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        for video, side in ((fake, False), (real, True)):
            assert video is not None
            rows = [[float(frame[:8, :8].mean()), float(frame[20:28, 20:28].mean())] for frame in video.frames()]
            self.add(torch.tensor(rows), side)
        return {}
