from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial

import pytest
import torch
from torch import nn

from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.video import Unmeasurable, Video
from hallo_lit.metrics.weight_file import WeightFile
from metrics.footage import clip


class Brightness(ClipMetric):
    columns = ("mean", "bright")

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        if fake.name == "broken":
            raise Unmeasurable("it is broken")
        mean = float(next(fake.frames()).mean())
        return {"mean": mean, "bright": 1.0} if mean > 128 else {"mean": mean}


def test_every_item_gets_a_verdict_and_only_counted_ones_a_number():
    metric = Brightness()
    metric.update(clip("a"))
    metric.update(clip("broken"))
    metric.update(clip("b", seed=1))
    report = metric.report()
    assert (report.counted, report.left_out) == (2, 1)
    assert [v.item for v in report.verdicts] == ["a", "broken", "b"]
    assert report.verdicts[1].reason == "it is broken"
    mean = sum(v.values["mean"] for v in report.verdicts if v.counted) / 2
    assert report.values["mean"] == pytest.approx(mean, abs=1e-12)


def test_a_metric_that_counted_nothing_reports_without_a_warning():
    metric = Brightness()
    metric.update(clip("broken"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metric.report().counted == 0


def test_reset_forgets_verdicts_and_rows():
    metric = Brightness()
    metric.update(clip("a"))
    metric.reset()
    assert metric.report().verdicts == ()
    assert metric.table().shape == (0, 2)


def test_a_metric_without_its_weights_takes_in_nothing():
    metric = Brightness()
    assert metric.adopt(partial(nn.Linear, 2, 2), WeightFile("lin.pth", "them"), None, "metric.b.weights") is None
    metric.update(clip("a"))
    report = metric.report()
    assert report.values == {}
    assert report.verdicts == ()
    assert report.skipped == (
        "Brightness was skipped. No weights: bring lin.pth (them) and set metric.b.weights to its path."
    )


def test_states_stay_float64_when_the_metric_moves_to_half():
    metric = Brightness().half()
    metric.update(clip("a"))
    assert metric.compute()["mean"].dtype == torch.float64


def test_building_a_network_draws_no_random_numbers(tmp_path):
    path = tmp_path / "lin.pth"
    torch.save(nn.Linear(2, 2).state_dict(), path)
    metric, before = Brightness(), torch.get_rng_state()
    network = metric.adopt(partial(nn.Linear, 2, 2), WeightFile("lin.pth", "them"), path, "metric.b.weights")
    assert network is not None
    assert torch.equal(torch.get_rng_state(), before)
    assert list(metric.report().weights) == ["lin.pth"]
