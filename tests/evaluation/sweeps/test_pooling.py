"""Repetitions become one row."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hallo_lit.evaluation.sweeps.pooling import half_width, pool
from hallo_lit.evaluation.sweeps.sweep import Sweep

from .made import result

SEEDS = Sweep(repeats=["seed"], rows={"fusion=a": "the first"})


def test_seeds_are_averaged_and_rows_keep_apart() -> None:
    numbers = {"a": (1.0, 2.0, 3.0), "b": (5.0, 5.0, 8.0)}
    results = [
        result([f"seed={i}", f"fusion={name}"], psnr=value)
        for name, values in numbers.items()
        for i, value in enumerate(values)
    ]
    first, second = pool(results, SEEDS)
    assert (first.row.name, second.row.name) == ("the first", "fusion=b")
    assert first.row.values["psnr"] == 2.0
    assert first.values("psnr") == [1.0, 2.0, 3.0]
    assert (first.row.counted, first.row.total) == (9, 12)
    deviation = np.sqrt((np.var(numbers["a"], ddof=1) + np.var(numbers["b"], ddof=1)) / 2)
    half = stats.t.ppf(0.975, 4) * deviation / np.sqrt(3)
    assert first.row.intervals["psnr"] == pytest.approx((2 - half, 2 + half))


def test_without_repetitions_a_row_stays_what_it_is() -> None:
    (one,) = pool([result(["fusion=a"], psnr=1.0)], Sweep())
    assert one.row.values == {"psnr": 1.0}
    assert not one.row.intervals
    assert half_width([[one.row]], "psnr") == {}
