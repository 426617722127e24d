"""Figures of sample videos: lips against the truth, and whatever other metrics of videos are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import lightning as L
import numpy as np
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.media.image import Pixels
from hallo_lit.metrics.aperture import correlation
from hallo_lit.metrics.base import VideoMetric
from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.video import Unmeasurable, Video, truth_of
from hallo_lit.signals import lip_audio
from hallo_lit.stages.say import say


class LipFigures(ClipMetric):
    """Correlations of lip opening and width with the true clip's, and the share of made frames that show a face.

    `metrics.aperture` without its questions about sound, which many a small store does not keep.
    """

    columns = ("aperture_r", "width_r", "faces")
    protocol: ClassVar[str] = "landmark curves in eye distances at 25 fps, frames with a face on both sides"

    def __init__(self, fewest: int = 10) -> None:
        """fewest: frames with a face on both sides that a clip needs."""
        super().__init__()
        self.fewest = fewest

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        made, true = (lip_audio.openings(video.landmarks) for video in (fake, truth_of(real)))
        kept = np.isfinite([made.inner, made.width, true.inner, true.width]).all(0)
        if kept.sum() < self.fewest:
            raise Unmeasurable(f"only {int(kept.sum())} frames show a face on both sides; {self.fewest} are needed")
        return {
            "aperture_r": correlation(made.inner[kept], true.inner[kept]),
            "width_r": correlation(made.width[kept], true.width[kept]),
            "faces": float(fake.seen.mean()),
        }


class Figures:
    """Metrics of made against true clips, on one process alone; a metric that cannot work here says so once."""

    def __init__(self, metrics: Mapping[str, VideoMetric]) -> None:
        self.metrics = dict(metrics)
        for metric in self.metrics.values():
            metric.sync_on_compute = metric._to_sync = False  # the other processes do not take part

    def take(self, name: str, made: Sequence[Pixels], true: Sequence[Pixels], sound: Tensor | None) -> None:
        """Frames (H, W, 3) of both sides; sound (samples,) at 16 kHz."""
        wave = None if sound is None else sound.numpy()
        fake, real = (Video.from_arrays(name, np.stack(frames), wave) for frames in (made, true))
        for key, metric in list(self.metrics.items()):
            try:
                metric.update(fake, real)
            except UserError as error:
                say(f"samples are not measured by {key}: {error}")
                del self.metrics[key]

    def report(self, trainer: L.Trainer) -> None:
        """Means over the clips since the last report, to all loggers."""
        values: dict[str, float] = {}
        for metric in self.metrics.values():
            if metric.verdicts and any(verdict.counted for verdict in metric.verdicts):
                values |= {f"samples/{name}": float(value) for name, value in metric.compute().items()}
            metric.reset()
        if not values:
            return
        for logger in trainer.loggers:
            logger.log_metrics(values, trainer.global_step)
        said = ", ".join(f"{name.removeprefix('samples/')} {value:.2f}" for name, value in values.items())
        say(f"step {trainer.global_step}: samples {said}")
