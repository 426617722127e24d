"""Figure 10 with another model as the one before fine-tuning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.base import read_description
from hallo_lit.evaluation.figures.identity import BeforeAfter
from hallo_lit.evaluation.figures.scene import Scene


def test_both_models_are_measured_against_the_person(scene: Scene, full_attention: Path, tmp_path: Path) -> None:
    path = BeforeAfter(str(full_attention), columns=3).draw(scene, tmp_path)
    numbers = read_description(path)["numbers"]
    assert set(numbers) == {"real", "before", "after", "before_weights"}
    assert numbers["before"]["difference_from_real"] != numbers["after"]["difference_from_real"]
    assert numbers["before_weights"] == scene.other(full_attention).weights
    with Image.open(path) as image:
        assert np.asarray(image).std() > 20


def test_both_models_are_as_lively(scene: Scene, full_attention: Path) -> None:
    calm = replace(scene.animator, recipe=scene.animator.with_recipe(liveliness=0.0, sway=0.5))
    recipe = replace(scene, animator=calm).other(full_attention).recipe
    assert (recipe.liveliness, recipe.sway) == (0.0, 0.5)


def test_one_model_alone_cannot_be_compared(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"figure\.identity\.before"):
        BeforeAfter().draw(scene, tmp_path)
    with pytest.raises(UserError, match="columns=0"):
        BeforeAfter("bundle", 0)
