from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluation.footage import GreyDistance
from hallo_lit.errors import UserError
from hallo_lit.evaluation.bootstrap import Bootstrap, DistanceBootstrap
from hallo_lit.metrics.fid import FID
from hallo_lit.metrics.frechet import frechet_distance


def test_the_interval_of_a_mean_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [Bootstrap(resamples=300).of_mean(rng.normal(3, 2, 40).tolist()) for _ in range(200)]
    hits = np.mean([low < 3 < high for low, high in found if low])
    assert 0.88 < hits < 0.99


def test_it_is_about_as_wide_as_the_normal_one_and_the_same_every_time() -> None:
    values = np.random.default_rng(1).normal(0, 1, 100).tolist()
    low, high = Bootstrap(resamples=4000).of_mean(values) or (0, 0)
    assert high - low == pytest.approx(2 * 1.96 * np.std(values) / 10, rel=0.08)
    assert Bootstrap().of_mean(values) == Bootstrap().of_mean(values)
    assert Bootstrap().of_mean([*values, float("nan")]) == Bootstrap().of_mean(values)


def test_a_handful_of_clips_has_no_interval() -> None:
    assert Bootstrap().of_mean([1.0, 2.0, 3.0, 4.0]) is None
    assert Bootstrap(resamples=0).of_mean([1.0] * 50) is None
    assert DistanceBootstrap.for_metric(GreyDistance(), 4, Bootstrap()) is None
    assert DistanceBootstrap.for_metric(GreyDistance(), 9, Bootstrap(widest=1)) is None
    assert DistanceBootstrap.for_metric(FID(), 9, Bootstrap()) is None


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"resamples": -1}, {"distances": -2}])
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UserError, match="bootstrap"):
        Bootstrap(**wrong)  # type: ignore[arg-type]


def test_distances_of_draws_are_those_of_repeated_clips() -> None:
    rng, clips = np.random.default_rng(2), 8
    fakes, reals = rng.normal(0.5, 1, (clips, 6, 2)), rng.normal(0, 1, (clips, 6, 2))
    metric = GreyDistance()
    draws = DistanceBootstrap.for_metric(metric, clips, Bootstrap(distances=30))
    assert draws is not None
    for clip in range(clips):
        draws.before()
        metric.add(fakes[clip], real=False)
        metric.add(reals[clip], real=True)
        draws.after(clip)
    wanted = []
    for times in draws.times.int().tolist():
        sides = [torch.from_numpy(np.concatenate([side[c] for c in range(clips) for _ in range(times[c])]))
                 for side in (reals, fakes)]  # fmt: skip
        wanted.append(frechet_distance(sides[0].mean(0), sides[0].T.cov(), sides[1].mean(0), sides[1].T.cov()))
    value = float(metric.compute()["grey_fd"])
    low, high = draws.interval(value) or (0, 0)
    half = 1.959964 * float(torch.stack(wanted).std())
    assert (low, high) == pytest.approx((max(0, value - half), value + half), rel=1e-6)


def test_a_clip_that_was_not_counted_changes_nothing() -> None:
    metric = GreyDistance()
    draws = DistanceBootstrap.for_metric(metric, 6, Bootstrap(distances=5))
    assert draws is not None
    draws.before()
    draws.after(0)
    assert draws.used == 0
    assert draws.interval(1.0) is None
