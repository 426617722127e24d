"""Lip curves of a real video, and of a model whose pictures show no face."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.base import read_description
from hallo_lit.evaluation.figures.film import Film
from hallo_lit.evaluation.figures.lips import LipCurves, opening
from hallo_lit.evaluation.figures.scene import Scene


def test_videos_without_a_face_are_named(scene: Scene, tmp_path: Path) -> None:
    about = read_description(LipCurves().draw(scene, tmp_path))
    assert "real_range" in about["numbers"]
    assert "real_and_loudness_r" in about["numbers"]
    assert "generated_range" not in about["numbers"]
    assert "no face in the generated video" in about["says"]


def test_the_same_film_agrees_with_itself(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(scene), "usual", scene.filmed())
    numbers = LipCurves().paint(scene).numbers
    assert numbers["generated_and_real_r"] == pytest.approx(1)
    assert numbers["generated_range"] == numbers["real_range"]


def test_grey_frames_have_no_lips() -> None:
    assert opening(Film(np.full((2, 64, 64, 3), 128, np.uint8), (0, 0, 64, 64))) is None


def test_without_matplotlib_one_sentence_says_what_to_install(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError, match=r"hallo-lit\[notebooks\]"):
        LipCurves().draw(scene, tmp_path)
