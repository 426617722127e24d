"""Temporal smoothness: trembling landmarks and flickering pixels, from second differences over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import cv2
import numpy as np

from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.video import Unmeasurable, Video

EYES = (33, 263)


class Smoothness(ClipMetric):
    """Second differences in time, which steady motion does not have, and their ratios to the real clip.

    - jitter: mean length of landmark second differences, in thousandths of the eye distance.
    - flicker: mean absolute second difference of grey levels, 0..255.

    The best ratio is 1: a frozen picture has 0. Ratios are absent without a real clip or when that one stands still.

    Args:
        landmarks: whether to look for faces; without, flicker alone.
    """

    columns = ("jitter", "flicker", "jitter_of_real", "flicker_of_real")
    protocol: ClassVar[str] = "second differences over three consecutive frames at 25 fps"

    def __init__(self, landmarks: bool = True) -> None:
        super().__init__()
        self.landmarks = landmarks

    @property
    def headings(self) -> Mapping[str, str]:
        return {"jitter_of_real": "jitter/real →1", "flicker_of_real": "flicker/real →1"}

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        values = self.of(fake)
        if real is not None:
            try:
                truth = self.of(real)
            except Unmeasurable:
                truth = {}
            values |= {
                f"{name}_of_real": values[name] / truth[name] for name in tuple(values) if truth.get(name, 0) > 0
            }
        return values

    def of(self, video: Video) -> dict[str, float]:
        """Jitter and flicker of one clip."""
        values = {"flicker": flicker(video)}
        if self.landmarks:
            values["jitter"] = jitter(video.landmarks)
        return values


def jitter(landmarks: np.ndarray) -> float:
    """(F, 478, 3) pixels -> thousandths of an eye distance; NaN without three frames in a row that show a face."""
    points = landmarks[..., :2]
    unit = np.nanmedian(np.linalg.norm(points[:, EYES[0]] - points[:, EYES[1]], axis=-1))
    lengths = np.linalg.norm(np.diff(points, n=2, axis=0), axis=-1)
    return float(1000 * np.nanmean(lengths) / unit) if np.isfinite(lengths).any() else float("nan")


def flicker(video: Video) -> float:
    """Grey levels.

    Raises:
        Unmeasurable: fewer than three frames, or the size changes.
    """
    total, count = 0.0, 0
    before: list[np.ndarray] = []
    for frame in video.frames():
        grey = cv2.cvtColor(frame.astype(np.float32), cv2.COLOR_RGB2GRAY)
        if before and before[-1].shape != grey.shape:
            raise Unmeasurable("its frames change their size")
        before = [*before[-2:], grey]
        if len(before) == 3:
            total += float(np.abs(before[2] - 2 * before[1] + before[0]).mean(dtype=np.float64))
            count += 1
    if not count:
        raise Unmeasurable(f"it has only {len(before)} frames; smoothness needs three")
    return total / count
