"""Rows of seconds and memory come from a process of their own."""

from __future__ import annotations

import pytest

from hallo_lit.errors import UserError
from hallo_lit.evaluation.sweeps.speed import measure

SMALL = ["model=tiny", "size.height=32", "size.width=32", "sampler.steps=1", "cfg_scale=1", "warm_up=false"]


def test_a_row_has_seconds_memory_and_what_they_were_measured_with() -> None:
    row, header = measure("fusion=gated", [*SMALL, "fusion=gated"], 4)
    assert row.values["seconds_per_frame"] * 4 == pytest.approx(row.values["seconds_per_clip"])
    assert 0.1 < row.values["memory_gb"] < 4
    assert row.values["gflops"] > 0
    assert row.values["load"] >= 0
    assert header["steps"] == "1"


def test_what_bench_refuses_is_passed_on() -> None:
    """A word that is refused before the networks are even imported: what is tried is the way of the sentence."""
    with pytest.raises(UserError, match="bench model=tyni: There is no model=tyni"):
        measure("x", ["model=tyni"], 4)
