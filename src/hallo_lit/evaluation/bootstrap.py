"""Confidence intervals over clips: how much would the numbers move with another draw of test clips?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.metrics.frechet import FrechetMetric, Moments, frechet_distance

FEWEST = 5  # clips below which an interval would be make-believe


@dataclass(frozen=True)
class Bootstrap:
    """
    Attributes:
        resamples: draws of clips for means; 0 gives no intervals at all.
        level: of the intervals, between 0 and 1.
        seed: of the draws.
        distances: draws for Fréchet distances, which cost an eigenvalue problem each; 0: none.
        widest: feature dimensions beyond which distances get no interval: time grows with the cube, memory with the
            square times `distances` (400 dimensions and 100 draws: 256 MB).
    """

    resamples: int = 1000
    level: float = 0.95
    seed: int = 0
    distances: int = 100
    widest: int = 512

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise UserError(f"bootstrap.level={self.level} must lie between 0 and 1; 0.95 is usual.")
        if min(self.resamples, self.distances) < 0:
            raise UserError("bootstrap.resamples and bootstrap.distances count draws; give 0 or more.")

    def of_mean(self, values: Sequence[float]) -> tuple[float, float] | None:
        """Percentile interval of the mean of one number per clip; None with fewer than FEWEST clips or no draws."""
        known = np.asarray(values, np.float64)
        known = known[np.isfinite(known)]
        if len(known) < FEWEST or not self.resamples:
            return None
        rows = np.random.default_rng(self.seed).integers(len(known), size=(self.resamples, len(known)))
        edges = [(1 - self.level) / 2, (1 + self.level) / 2]
        low, high = np.quantile(known[rows].mean(1), edges)
        return float(low), float(high)


class DistanceBootstrap:
    """Interval of a Fréchet distance, gathered while clips stream by: memory does not grow with their number.

    Every draw has its own moments, to which each clip is added as often as the draw contains it. A draw of fewer
    different clips is biased upwards, so its spread is used, not its place: value ± z standard deviations.
    """

    def __init__(self, metric: FrechetMetric, clips: int, settings: Bootstrap) -> None:
        self.metric, self.settings = metric, settings
        rng = np.random.default_rng(settings.seed)
        draws = rng.multinomial(clips, np.full(clips, 1 / clips), size=settings.distances)
        self.times = torch.from_numpy(draws).double()  # (draws, clips)
        self.sums = [self._zeros() for _ in range(2)]  # real, fake
        self.used = 0

    @classmethod
    def for_metric(cls, metric: object, clips: int, settings: Bootstrap) -> DistanceBootstrap | None:
        """None where the metric is no distance, or too wide, or clips are too few."""
        if not isinstance(metric, FrechetMetric) or metric.skipped is not None or metric.width > settings.widest:
            return None
        return cls(metric, clips, settings) if settings.distances and clips >= FEWEST else None

    def _zeros(self) -> Moments:
        draws, width = self.settings.distances, self.metric.width
        zero = torch.zeros(draws, width, width, dtype=torch.float64)
        return Moments(torch.zeros(draws, dtype=torch.float64), torch.zeros(draws, width, dtype=torch.float64), zero)

    def before(self) -> None:
        self._then = [self.metric.moments(side) for side in (True, False)]

    def after(self, clip: int) -> None:
        """Adds what the metric took in since `before`, which was clip number `clip`."""
        times = self.times[:, clip]
        for i, side in enumerate((True, False)):
            new = [now.cpu() - then.cpu() for now, then in zip(self.metric.moments(side), self._then[i], strict=True)]
            if not i and not new[0]:
                return
            for total, part in zip(self.sums[i], new, strict=True):
                for draw in torch.nonzero(times).flatten().tolist():
                    total[draw] += times[draw] * part
        self.used += 1

    def interval(self, value: float) -> tuple[float, float] | None:
        """Under distributed evaluation every process must call it."""
        used = torch.tensor(self.used)
        if dist.is_available() and dist.is_initialized():
            for tensor in (used, *self.sums[0], *self.sums[1]):
                dist.all_reduce(tensor)
        if used < FEWEST:
            return None
        found = [self._distance(draw) for draw in range(self.settings.distances)]
        spread = torch.stack([one for one in found if one is not None]).std()
        z = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + self.settings.level) / 2))
        half = float(z * spread)
        return max(0.0, value - half), value + half

    def _distance(self, draw: int) -> Tensor | None:
        sides = [Moments(*(part[draw] for part in side)) for side in self.sums]
        if min(side.n for side in sides) < 2:
            return None
        (mean, covariance), (made, spread) = (side.mean_and_covariance(self.metric.ddof) for side in sides)
        return frechet_distance(mean, covariance, made, spread)
