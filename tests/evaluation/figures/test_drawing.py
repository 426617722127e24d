"""Which figures a configuration asks for, and what becomes of those that fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluation.small_model import SAMPLES
from hallo_lit.animation.animator import Animator
from hallo_lit.cli.compose import compose, plain
from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.base import read_description
from hallo_lit.evaluation.figures.drawing import draw_figures, figures_of, scene_of


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    made = plain(compose("evaluate", "figures=[weights]", "figure.weights.values=[1]", "figure.guidance.audio=[1]"))
    made["figure"]["guidance"]["image"] = [1]
    made["scene"] |= {
        "portrait": str(SAMPLES / "portrait.png"),
        "audio": str(SAMPLES / "speech.wav"),
        "seconds": 0.12,
    }
    return made | {"figures_dir": str(tmp_path / "figures"), "cache_dir": str(tmp_path / "cache")}


def test_every_file_of_the_group_is_offered(config: dict[str, Any]) -> None:
    names = {path.stem for path in (Path(__file__).parents[3] / "conf" / "figure").glob("*.yaml")}
    assert set(config["figure"]) == names
    assert {figure.name for figure in figures_of(config | {"figures": ["all"]})} == names


def test_a_single_name_may_stand_alone(config: dict[str, Any]) -> None:
    (figure,) = figures_of(config | {"figures": "lips"})
    assert figure.name == "lips"


def test_a_figure_of_ones_own_joins_by_one_word() -> None:
    config = plain(compose("evaluate", "+figure@figure.mine=weights", "figures=[mine]", "figure.mine.values=[3]"))
    (figure,) = figures_of(config)
    assert vars(figure)["values"] == (3.0,)


def test_a_figure_is_drawn_and_told(config: dict[str, Any], animator: Animator) -> None:
    told: list[str] = []
    (path,) = draw_figures(config, "hallo-lit evaluate", told.append, animator=animator)
    assert told == [str(path)]
    assert read_description(path)["command"] == "hallo-lit evaluate"


def test_one_that_fails_does_not_keep_others_from_being_drawn(config: dict[str, Any], animator: Animator) -> None:
    told: list[str] = []
    with pytest.raises(UserError, match=r"figure\.identity\.before"):
        draw_figures(config | {"figures": ["identity", "weights"]}, tell=told.append, animator=animator)
    assert told[0].startswith("identity is left out")
    assert told[1].endswith("weights.png")


def test_of_all_those_that_lack_something_are_left_out(config: dict[str, Any], animator: Animator) -> None:
    few = {name: config["figure"][name] for name in ("identity", "weights")}
    told: list[str] = []
    assert len(draw_figures(config | {"figures": ["all"], "figure": few}, tell=told.append, animator=animator)) == 1
    assert told[0].startswith("identity is left out")


@pytest.mark.parametrize(("name", "hint"), [("wieghts", "did you mean weights"), ("xyz", "choose among attention")])
def test_an_unknown_name_is_answered_with_a_known_one(config: dict[str, Any], name: str, hint: str) -> None:
    with pytest.raises(UserError, match=hint):
        figures_of(config | {"figures": [name]})


def test_half_a_scene_is_a_sentence(config: dict[str, Any], animator: Animator) -> None:
    config["scene"]["audio"] = None
    with pytest.raises(UserError, match=r"scene\.audio"):
        scene_of(config, animator)


def test_without_files_the_scene_is_a_case(config: dict[str, Any], animator: Animator, talk: Path) -> None:
    config["scene"] |= {"portrait": None, "audio": None}
    config["cases"] = plain(compose("evaluate", "cases=folder", f"cases.folder={talk.parent}"))["cases"]
    scene = scene_of(config, animator)
    assert scene.audio == scene.real == talk
    assert scene.portrait.is_file()
    config["scene"]["case"] = "nobody"
    with pytest.raises(UserError, match="nobody"):
        scene_of(config, animator)
