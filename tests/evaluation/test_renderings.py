from __future__ import annotations

import pytest

from hallo_lit.evaluation.renderings import cell, number
from hallo_lit.evaluation.row import Row
from hallo_lit.evaluation.table import Column


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (7.7504, "7.750"), (78.4951, "78.50"), (377.117, "377.1"), (12345.6, "12346"), (0, "0.000"),
     (-0.5, "-0.500"), (0.0006, "0.001"), (-3.14e-7, "-3.1e-07"), (float("inf"), "inf")],
)  # fmt: skip
def test_numbers_have_the_digits_that_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_a_value_of_fewer_clips_than_its_row_says_so() -> None:
    row = Row("x", {"a": 1.0, "b": 2.0}, {"b": (1.5, 2.5)}, {"a": 3, "b": 5}, counted=5, total=6)
    assert cell(row, Column("a", "A")) == "1.000 (n=3)"
    assert cell(row, Column("b", "B")) == "2.000 [1.500, 2.500]"
    assert cell(row, Column("c", "C")) == "–"
