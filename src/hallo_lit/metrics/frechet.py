"""Fréchet distance between two feature sets, gathered as sums so that memory does not grow with the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hallo_lit.metrics.base import VideoMetric


class Moments(NamedTuple):
    """Number, sum and sum of outer products of features, all float64."""

    n: Tensor  # ()
    total: Tensor  # (d,)
    outer: Tensor  # (d, d)

    @classmethod
    def zeros(cls, width: int, device: torch.device | str = "cpu") -> Moments:
        def zero(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64, device=device)

        return cls(zero(), zero(width), zero(width, width))

    def add(self, features: Tensor) -> Moments:
        """(n, d) of any precision."""
        rows = features.to(self.total)
        return Moments(self.n + len(rows), self.total + rows.sum(0), self.outer + rows.T @ rows)

    def mean_and_covariance(self, ddof: int = 1) -> tuple[Tensor, Tensor]:
        """(d,) and (d, d); the covariance is divided by n - ddof (1 = unbiased)."""
        mean = self.total / self.n
        return mean, (self.outer - self.n * torch.outer(mean, mean)) / (self.n - ddof)


def frechet_distance(mean_a: Tensor, covariance_a: Tensor, mean_b: Tensor, covariance_b: Tensor) -> Tensor:
    """|a - b|^2 + tr A + tr B - 2 tr (A B)^(1/2) of two Gaussians, in float64 (float32 is off by up to 0.2 %).

    The trace of the root is taken from the symmetric R B R with R = A^(1/2): real always, singular matrices included.
    Eigenvalues of the size of rounding are kept, as published programs do; without them, distances of rank-deficient
    sets would differ from theirs by some 1e-7.
    """
    values, vectors = torch.linalg.eigh(covariance_a.double())
    root = vectors * values.clamp_min(0).sqrt() @ vectors.T
    product = root @ covariance_b.double() @ root
    mixed = torch.linalg.eigvalsh((product + product.T) / 2).clamp_min(0).sqrt().sum()
    gap = (mean_a - mean_b).double()
    return gap @ gap + covariance_a.trace() + covariance_b.trace() - 2 * mixed


class FrechetMetric(VideoMetric):
    """Distance between the features of all generated and all real clips.

    Args:
        key: name of the value.
        width: feature dimensions d.
        ddof: 1 = unbiased covariance; 0 only for comparison with programs that stream second moments.
    """

    judges_real: ClassVar[bool] = False

    def __init__(self, key: str, width: int, ddof: int = 1) -> None:
        super().__init__()
        self.key, self.width, self.ddof = key, width, ddof
        for side in ("real", "fake"):
            for part, zero in Moments.zeros(width)._asdict().items():
                self.add_state(f"{side}_{part}", default=zero, dist_reduce_fx="sum")

    @property
    def headings(self) -> Mapping[str, str]:
        return {self.key: f"{self.key} ↓"}

    def moments(self, real: bool) -> Moments:
        side = "real" if real else "fake"
        return Moments(*(getattr(self, f"{side}_{part}") for part in Moments._fields))

    def keep(self, moments: Moments, real: bool) -> None:
        for part, value in moments._asdict().items():
            setattr(self, f"{'real' if real else 'fake'}_{part}", value)

    def add(self, features: Tensor | np.ndarray, real: bool) -> int:
        """Takes in the rows of (n, d) features that are finite everywhere; returns how many these are."""
        rows = torch.as_tensor(features).to(self.device)
        rows = rows[rows.isfinite().all(1)]
        self.keep(self.moments(real).add(rows), real)
        return len(rows)

    def compute(self) -> dict[str, Tensor]:
        """The distance, absent with fewer than two samples on a side."""
        real, fake = self.moments(True), self.moments(False)
        if min(real.n, fake.n) < 2:
            return {}
        distance = frechet_distance(*real.mean_and_covariance(self.ddof), *fake.mean_and_covariance(self.ddof))
        return {self.key: distance, f"{self.key}_n_real": real.n, f"{self.key}_n_fake": fake.n}

    def remarks(self) -> list[str]:
        real, fake = int(self.moments(True).n), int(self.moments(False).n)
        if min(real, fake) < 2:
            return [f"{self.key} needs at least 2 samples on each side and got {real} real and {fake} generated."]
        notes = []
        if min(real, fake) <= self.width:
            notes.append(
                f"{self.key}: {min(real, fake)} samples cannot fill {self.width} dimensions (rank-deficient); the "
                f"value is biased upwards, so compare it only with values from equally many samples."
            )
        if real != fake:
            notes.append(f"{self.key}: {real} real against {fake} generated samples; their biases differ.")
        return notes
