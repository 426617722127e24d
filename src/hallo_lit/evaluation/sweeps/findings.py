"""What a table shows, in sentences computed from its numbers: no difference is claimed that noise could have made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hallo_lit.evaluation.sweeps.pooling import Pooled
from hallo_lit.evaluation.table import Column

Interval = tuple[float, float]
SIGNS = {"higher": -1.0, "lower": 1.0}


def findings(rows: Sequence[Pooled], columns: Sequence[Column]) -> list[str]:
    """One sentence per column that has a better side and at least two rows with numbers."""
    return [sentence for column in columns if (sentence := finding(rows, column))]


def finding(rows: Sequence[Pooled], column: Column) -> str | None:
    """Which row is best, and which rows it is not clearly better than."""
    known = [one for one in rows if column.key in one.row.values]
    if column.better not in (*SIGNS, "one", "zero") or len(known) < 2:
        return None
    best, *others = sorted(known, key=lambda one: _badness(one.row.values[column.key], column.better))
    heading = column.heading.rpartition(" ")[0]
    said = f"{heading}: {best.row.name} has the best number ({_text(best, column.key)})"
    interval = best.row.intervals.get(column.key)
    if interval is None:
        return f"{said}; how much chance there is in it was not measured."
    unclear = [one for one in others if _overlap(interval, one.row.intervals.get(column.key))]
    if not unclear:
        return f"{said}, apart from all others by more than the noise."
    if len(unclear) == len(others):
        return f"{said}, but no row lies apart from it by more than the noise."
    names = ", ".join(f"{one.row.name} ({_text(one, column.key)})" for one in unclear)
    return f"{said}; within the noise of it: {names}; the other {len(others) - len(unclear)} are worse."


def noise_of(rows: Sequence[Pooled]) -> str:
    """What the brackets of a pooled table mean."""
    if not any(one.row.intervals for one in rows):
        return "none: every row was measured once, and how much chance there is in it is not known"
    repeats = {len(one.repeats) for one in rows}
    if repeats == {1}:
        return "95% intervals over clips of one run each; another seed of training may move numbers by more"
    low, high = min(repeats), max(repeats)
    count = f"{low}" if low == high else f"{low} to {high}"
    return f"95% intervals of the mean of {count} seeds, with one deviation for all rows"


def _overlap(a: Interval, b: Interval | None) -> bool:
    return b is None or (a[0] <= b[1] and b[0] <= a[1])


def _badness(value: float, better: str) -> float:
    distances: Mapping[str, float] = {"one": abs(value - 1), "zero": abs(value)}
    return distances[better] if better in distances else SIGNS[better] * value


def _text(one: Pooled, key: str) -> str:
    value = one.row.values[key]
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"
