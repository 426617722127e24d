"""Figure 9 on the small model and a real video."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.base import read_description
from hallo_lit.evaluation.figures.diversity import MotionMaps
from hallo_lit.evaluation.figures.scene import Scene


def test_model_real_video_and_others_are_rows(scene: Scene, talk: Path, tmp_path: Path) -> None:
    about = read_description(MotionMaps(2, {"other": str(talk)}).draw(scene, tmp_path))
    numbers = about["numbers"]
    assert set(numbers) == {"model", "real", "other", "between_seeds_levels"}
    assert numbers["real"] == numbers["other"]
    assert numbers["model"]["all"] > numbers["real"]["all"] > 0  # noise against a bar over a still mouth
    assert numbers["between_seeds_levels"] > 0
    assert "2 seeds" in about["says"]


def test_one_seed_has_nothing_to_be_compared_with(scene: Scene, tmp_path: Path) -> None:
    about = read_description(MotionMaps(1).draw(scene, tmp_path))
    assert about["numbers"]["between_seeds_levels"] == 0
    assert "seeds" not in about["says"]


def test_bad_settings_are_a_sentence(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="seeds=0"):
        MotionMaps(0)
    with pytest.raises(UserError, match=r"gone\.mp4"):
        MotionMaps(1, {"other": str(tmp_path / "gone.mp4")}).draw(scene, tmp_path)
