"""Figure 11 on the small model."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.base import read_description
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.evaluation.figures.weights import WeightGrid


def test_only_weights_that_differ_change_the_film(scene: Scene, tmp_path: Path) -> None:
    about = read_description(WeightGrid([0, 1]).draw(scene, tmp_path))
    inside, elsewhere = about["numbers"]["change_inside"], about["numbers"]["change_elsewhere"]
    for region in ("lip", "face", "pose"):
        assert inside[f"{region} 1"] == elsewhere[f"{region} 1"] == 0
        assert inside[f"{region} 0"] > 0
    assert 0 < about["numbers"]["frame"] < 7


def test_the_shown_frame_can_be_chosen_and_stays_within_the_film(scene: Scene, tmp_path: Path) -> None:
    about = read_description(WeightGrid([1], frame=500).draw(scene, tmp_path))
    assert about["numbers"]["frame"] == 6


def test_no_values_are_a_sentence() -> None:
    with pytest.raises(UserError, match="values="):
        WeightGrid([])
