"""Rows that differ in a repetition alone (a seed) become one row with an interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from hallo_lit.evaluation.row import Row
from hallo_lit.evaluation.sweeps.results import Result
from hallo_lit.evaluation.sweeps.sweep import Sweep

LEVEL = 0.95


@dataclass(frozen=True)
class Pooled:
    """
    Attributes:
        row: means over the repetitions. Its intervals are those of the mean, with one deviation for all rows; of a
            single repetition they stay what they were.
        words: of the row, without repetitions.
        repeats: the rows behind it.
    """

    row: Row
    words: Sequence[str]
    repeats: Sequence[Row]

    def values(self, key: str) -> list[float]:
        """One number per repetition that has it."""
        return [row.values[key] for row in self.repeats if key in row.values]


def pool(results: Iterable[Result], sweep: Sweep) -> list[Pooled]:
    """In the order in which rows first appear."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for one in results:
        groups.setdefault(tuple(sweep.own(one.words)), []).append(one.row)
    keys = dict.fromkeys(key for rows in groups.values() for row in rows for key in row.values)
    halves = {key: half_width(groups.values(), key) for key in keys}
    return [Pooled(replace(_mean(rows, halves), name=sweep.name(words)), words, rows) for words, rows in groups.items()]


def half_width(groups: Iterable[Sequence[Row]], key: str) -> Mapping[int, float]:
    """Half the confidence interval of a mean of n repetitions, by n; empty where nothing was repeated.

    The deviation is pooled over all rows: three numbers alone say little about their own spread.
    """
    found = [[row.values[key] for row in rows if key in row.values] for rows in groups]
    found = [values for values in found if len(values) > 1]
    freedom = sum(len(values) - 1 for values in found)
    if not freedom:
        return {}
    deviation = (sum(np.var(values) * len(values) for values in found) / freedom) ** 0.5
    t = float(stats.t.ppf((1 + LEVEL) / 2, freedom))
    return {n: float(t * deviation / n**0.5) for n in {len(values) for values in found}}


def _mean(rows: Sequence[Row], halves: Mapping[str, Mapping[int, float]]) -> Row:
    if len(rows) == 1:
        return rows[0]
    values: dict[str, float] = {}
    intervals: dict[str, tuple[float, float]] = {}
    for key in dict.fromkeys(key for row in rows for key in row.values):
        known = [row.values[key] for row in rows if key in row.values]
        values[key] = float(np.mean(known))
        if half := halves[key].get(len(known)):
            intervals[key] = (values[key] - half, values[key] + half)
    counted, total = (sum(getattr(row, name) for row in rows) for name in ("counted", "total"))
    return Row(rows[0].name, values, intervals, counted=counted, total=total, facts=rows[0].facts)
