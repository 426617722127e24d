from __future__ import annotations

from collections.abc import Mapping

import torch

from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.video import Video
from metrics.footage import clip


class Brightness(ClipMetric):
    columns = ("mean", "bright")

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        return {"mean": float(next(fake.frames()).mean())}


def test_a_column_without_a_value_is_absent_and_others_average_over_what_they_have():
    metric = Brightness()
    for row in ([1.0, float("nan")], [3.0, float("nan")]):
        metric.rows.append(torch.tensor(row, dtype=torch.float64))
    assert metric.compute() == {"mean": torch.tensor(2.0, dtype=torch.float64)}
    metric.rows.append(torch.tensor([5.0, 1.0], dtype=torch.float64))
    metric._computed = None
    assert {key: float(value) for key, value in metric.compute().items()} == {"mean": 3.0, "bright": 1.0}


def test_nothing_seen_gives_nothing():
    assert Brightness().report().values == {}


def test_a_row_without_any_number_is_a_verdict_and_no_row():
    class Nothing(Brightness):
        def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
            return {"bright": float("nan")}

    metric = Nothing()
    metric.update(clip("a"))
    assert metric.table().shape == (0, 2)
    assert metric.report().verdicts[0].reason == "no number came out"
