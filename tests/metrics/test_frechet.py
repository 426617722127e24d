from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torchmetrics.image.fid import _compute_fid

from hallo_lit.metrics.frechet import FrechetMetric, Moments, frechet_distance
from hallo_lit.metrics.video import Video


class Features(FrechetMetric):
    def __init__(self, width: int, ddof: int = 1) -> None:
        super().__init__("distance", width, ddof)

    def measure(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        raise NotImplementedError


def gaussian(n: int, mean: np.ndarray, root: np.ndarray, seed: int) -> np.ndarray:
    """Samples whose sample mean and unbiased covariance are exactly `mean` and root root^T."""
    z = np.random.default_rng(seed).standard_normal((n, len(mean)))
    z -= z.mean(0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T
    return z @ root.T + mean


def distance(a: np.ndarray, b: np.ndarray, **options: int) -> float:
    metric = Features(a.shape[1], **options)
    for part in np.array_split(a, 3):
        metric.add(part, real=True)
    for part in np.array_split(b, 4):
        metric.add(part, real=False)
    return float(metric.compute()["distance"])


def test_gaussians_with_commuting_covariances_have_the_closed_form():
    a, b = np.array([1.0, 4.0, 0.25]), np.array([9.0, 1.0, 0.0])
    means = np.array([0.0, 1.0, -1.0]), np.array([3.0, 1.0, 3.0])
    x = gaussian(40, means[0], np.diag(np.sqrt(a)), 0)
    y = gaussian(55, means[1], np.diag(np.sqrt(b)), 1)
    wanted = 9 + 16 + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert distance(x, y) == pytest.approx(wanted, rel=1e-9)


def test_rotated_gaussians_agree_with_the_root_of_the_product():
    rng = np.random.default_rng(2)
    a, b = (rng.standard_normal((5, 5)) for _ in range(2))
    x, y = gaussian(60, np.zeros(5), a, 3), gaussian(60, np.ones(5), b, 4)
    values = np.linalg.eigvals(a @ a.T @ b @ b.T)
    wanted = 5 + np.trace(a @ a.T) + np.trace(b @ b.T) - 2 * np.sqrt(values.real).sum()
    assert distance(x, y) == pytest.approx(wanted, rel=1e-9)


def test_identical_sets_are_at_zero():
    x = np.random.default_rng(0).standard_normal((80, 12))
    assert distance(x, x) == pytest.approx(0, abs=1e-9)


def test_a_shift_alone_costs_its_square():
    x = np.random.default_rng(0).standard_normal((80, 12))
    assert distance(x, x + 0.5) == pytest.approx(12 * 0.25, rel=1e-9)


def test_the_torchmetrics_formula_gives_the_same():
    rng = np.random.default_rng(1)
    sides = [Moments.zeros(10).add(torch.from_numpy(rng.standard_normal((50, 10)) * s)) for s in (1, 2)]
    (m1, s1), (m2, s2) = (side.mean_and_covariance() for side in sides)
    assert float(frechet_distance(m1, s1, m2, s2)) == pytest.approx(float(_compute_fid(m1, s1, m2, s2)), rel=1e-9)


def test_the_biased_covariance_is_smaller():
    x, y = (np.random.default_rng(seed).standard_normal((10, 4)) * (seed + 1) for seed in (0, 1))
    assert distance(x, y, ddof=0) < distance(x, y)


def test_float32_statistics_would_be_worse_than_these():
    x = (np.random.default_rng(0).standard_normal((300, 8)) + 1000).astype(np.float32)
    assert distance(x, x.astype(np.float64) + 1) == pytest.approx(8, rel=1e-6)


def test_one_sample_gives_no_number_but_a_sentence():
    metric = Features(3)
    metric.add(np.ones((1, 3)), real=True)
    metric.add(np.ones((4, 3)), real=False)
    report = metric.report()
    assert report.values == {}
    assert "needs at least 2 samples on each side and got 1 real and 4 generated" in report.notes[0]


def test_too_few_samples_are_marked_as_rank_deficient():
    metric = Features(6)
    rng = np.random.default_rng(0)
    for real in (True, False):
        metric.add(rng.standard_normal((6, 6)), real)
    assert "rank-deficient" in metric.report().notes[0]
    for real in (True, False):
        metric.add(rng.standard_normal((1, 6)), real)
    assert metric.report().notes == ()


def test_unequal_counts_are_told():
    metric = Features(2)
    metric.add(np.random.default_rng(0).standard_normal((9, 2)), real=True)
    metric.add(np.random.default_rng(1).standard_normal((5, 2)), real=False)
    assert "9 real against 5 generated" in metric.report().notes[0]


def test_nan_rows_are_left_out_and_counted():
    metric = Features(2)
    rows = np.array([[0.0, 1.0], [np.nan, 0.0], [np.inf, 1.0], [1.0, 1.0]])
    assert metric.add(rows, real=True) == 2
    assert metric.moments(True).n == 2


def test_memory_does_not_grow_with_the_data():
    metric = Features(4)

    def size() -> int:
        return sum(getattr(metric, name).numel() for name in metric._defaults)

    before = size()
    for seed in range(20):
        metric.add(np.random.default_rng(seed).standard_normal((50, 4)), real=True)
    assert size() == before
