"""What a sweep file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.evaluation.sweeps.sweep import Sweep, key_of


def test_words_of_a_row_are_told_apart() -> None:
    sweep = Sweep(rows={"fusion=gated": "gated"}, repeats=["seed"], trains=["fusion", "seed"])
    words = ["seed=1", "+fusion=gated", "lip_weight=2"]
    assert sweep.own(words) == ["+fusion=gated", "lip_weight=2"]
    assert sweep.training(words) == ["seed=1", "+fusion=gated"]
    assert sweep.name(["seed=1", "fusion=gated"]) == "gated"
    assert sweep.name(["seed=1", "fusion=other"]) == "fusion=other"
    assert key_of("+fusion.branches=[full,lip]") == "fusion.branches"


def test_missing_clips_are_answered_with_the_command_that_makes_them(tmp_path: Path) -> None:
    sweep = Sweep(made_by="make sweep-data")
    sweep.require(str(tmp_path))
    with pytest.raises(UserError, match=r"corpus is not there, .* `make sweep-data` makes it"):
        sweep.require(str(tmp_path / "corpus"))
    Sweep().require(str(tmp_path / "corpus"))


@pytest.mark.parametrize("wrong", [{"trian": []}, {"plot": "pie"}])
def test_a_wrong_key_is_answered_with_a_sentence(wrong: dict) -> None:
    with pytest.raises(UserError, match="sweep"):
        Sweep.of(wrong)
