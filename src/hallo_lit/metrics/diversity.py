"""How much head and face move: too little is a talking passport photo, more than the real clip is restless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.protocols.head_motion import EXPRESSIVE, HeadMotion, separate
from hallo_lit.metrics.video import Unmeasurable, Video


class Diversity(ClipMetric):
    """Standard deviations over time: head angles in degrees, expression in eye distances, and ratios to the truth.

    `head` is the root of the summed variances of yaw, pitch and roll; `expression` the root mean variance of lip, lid
    and brow points with the head held still; `head_of_real` and `expression_of_real` are ratios to the real clip (1 =
    as lively as the truth), absent without one.

    Args:
        fewest: frames with a face that a clip needs.
    """

    columns = ("head", "yaw", "pitch", "roll", "expression", "head_of_real", "expression_of_real")
    protocol: ClassVar[str] = "MediaPipe mesh at 25 fps, rigid points laid over the first frame"

    def __init__(self, fewest: int = 25) -> None:
        super().__init__()
        self.fewest = fewest

    @property
    def headings(self) -> Mapping[str, str]:
        return {"head": "head (deg)", "head_of_real": "head/real →1", "expression_of_real": "expression/real →1"}

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        head, expression, spread = self.of(fake)
        values = dict(zip(("yaw", "pitch", "roll"), spread, strict=True)) | {"head": head, "expression": expression}
        if real is not None:
            try:
                real_head, real_expression, _ = self.of(real)
            except Unmeasurable:
                return values
            values["head_of_real"] = head / real_head if real_head > 1e-9 else np.nan
            values["expression_of_real"] = expression / real_expression if real_expression > 1e-9 else np.nan
        return values

    def of(self, video: Video) -> tuple[float, float, tuple[float, float, float]]:
        """Head, expression, and the deviations of yaw, pitch and roll."""
        seen = int(video.seen.sum())
        if seen < self.fewest:
            raise Unmeasurable(f"only {seen} frames show a face; {self.fewest} are needed")
        motion: HeadMotion = separate(video.landmarks)
        yaw, pitch, roll = np.nanstd(motion.angles, axis=0).tolist()
        points = motion.shape[:, list(EXPRESSIVE)]
        expression = float(np.sqrt(np.nanvar(points, axis=0).sum(-1).mean()))
        return float(np.sqrt(yaw**2 + pitch**2 + roll**2)), expression, (yaw, pitch, roll)
