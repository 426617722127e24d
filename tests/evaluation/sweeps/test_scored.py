"""A row is scored once, and again when what it depends on has changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluation import footage
from hallo_lit.cli.compose import compose, plain
from hallo_lit.errors import UserError
from hallo_lit.evaluation.row import Row
from hallo_lit.evaluation.sweeps.scored import scored
from hallo_lit.evaluation.table import REAL, Column, Table

WORDS = ["fusion=gated"]


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    place = footage.folder(tmp_path / "talks", {"one": 50})
    made: dict[str, Any] = plain(compose("evaluate", "weights=null", "cases=folder", f"cases.folder='{place}'"))
    return made


class Judge:
    """Gives the next number whenever it is asked."""

    def __init__(self, *names: str) -> None:
        self.names, self.asked = names or ("ours", REAL), 0

    def __call__(self, config: Mapping[str, Any]) -> Table:
        self.asked += 1
        return Table("t", [Column("psnr", "PSNR ↑")], [Row(name, {"psnr": self.asked}) for name in self.names])


def test_a_finished_row_is_not_scored_again(config: dict[str, Any], tmp_path: Path) -> None:
    judge, shared = Judge(), (config, "base")
    first = scored(tmp_path, WORDS, config, shared, judge)
    assert first.row.name == "fusion=gated"
    assert first.columns == {"psnr": "PSNR ↑"}
    assert scored(tmp_path, WORDS, config, shared, judge) == first
    assert judge.asked == 1


def test_other_settings_clips_or_training_make_it_stale(config: dict[str, Any], tmp_path: Path) -> None:
    judge, shared = Judge(), (config, "base")
    scored(tmp_path, WORDS, config, shared, judge)
    scored(tmp_path, WORDS, {**config, "lip_weight": 2.0}, shared, judge)
    footage.folder(tmp_path / "talks", {"two": 60})
    scored(tmp_path, WORDS, {**config, "lip_weight": 2.0}, shared, judge)
    scored(tmp_path, WORDS, {**config, "lip_weight": 2.0}, (config, "other"), judge)
    assert judge.asked == 4


def test_what_says_nothing_about_numbers_leaves_it_alone(config: dict[str, Any], tmp_path: Path) -> None:
    judge, shared = Judge(), (config, "base")
    scored(tmp_path, WORDS, config, shared, judge)
    scored(tmp_path, WORDS, {**config, "run_dir": "elsewhere", "group": "g"}, shared, judge)
    assert judge.asked == 1


def test_several_models_are_no_row(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="one model"):
        scored(tmp_path, WORDS, config, (config, ""), Judge("ours", "theirs"))
