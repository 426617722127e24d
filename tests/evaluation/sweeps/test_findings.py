"""Sentences claim no more than the numbers allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hallo_lit.evaluation.row import Row
from hallo_lit.evaluation.sweeps.findings import finding, findings, noise_of
from hallo_lit.evaluation.sweeps.pooling import Pooled
from hallo_lit.evaluation.table import Column

PSNR = Column("psnr", "PSNR ↑")


def row(name: str, value: float, half: float | None = 0.5) -> Pooled:
    made = Row(name, {"psnr": value}, {} if half is None else {"psnr": (value - half, value + half)})
    return Pooled(made, [f"fusion={name}"], [made])


def test_a_clear_winner_is_called_so() -> None:
    said = finding([row("a", 20), row("b", 25), row("c", 21)], PSNR)
    assert said is not None
    assert said.startswith("PSNR: b has the best number (25.00)")
    assert "more than the noise" in said
    assert "no row" not in said


def test_what_noise_could_have_made_is_called_noise() -> None:
    assert "no row lies apart" in str(finding([row("a", 24.8), row("b", 25)], PSNR))
    mixed = str(finding([row("a", 24.8), row("b", 25), row("c", 20)], PSNR))
    assert "within the noise of it: a (24.80)" in mixed
    assert "the other 1 are worse" in mixed
    assert "not measured" in str(finding([row("a", 1, None), row("b", 2, None)], PSNR))


@pytest.mark.parametrize(("heading", "best"), [("x ↓", "low"), ("x →1", "middle"), ("x →0", "low"), ("x ↑", "high")])
def test_the_better_side_is_the_column_s(heading: str, best: str) -> None:
    rows = [row("low", 0.1, 0.01), row("middle", 0.9, 0.01), row("high", 3.0, 0.01)]
    assert f": {best} has" in str(finding(rows, Column("psnr", heading)))


def test_columns_without_a_better_side_or_with_one_row_say_nothing() -> None:
    rows = [row("a", 1), row("b", 2)]
    assert findings(rows, [Column("psnr", "(loudness r)"), Column("absent", "other ↑")]) == []
    assert findings(rows[:1], [PSNR]) == []


def test_what_the_brackets_mean_depends_on_the_repetitions() -> None:
    one = row("a", 1)
    assert "over clips" in noise_of([one])
    assert "measured once" in noise_of([row("a", 1, None)])
    assert "of 2 seeds" in noise_of([replace(one, repeats=[one.row, one.row])])
