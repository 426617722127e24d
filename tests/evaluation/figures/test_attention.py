"""Figure 3 on the small model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.small_model import lively
from hallo_lit.animation.animator import Animator
from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.attention import AttentionMaps
from hallo_lit.evaluation.figures.base import read_description
from hallo_lit.evaluation.figures.scene import Scene


def test_the_lips_share_of_the_sound_lies_at_the_lips(scene: Scene, tmp_path: Path) -> None:
    about = read_description(AttentionMaps().draw(scene, tmp_path))
    shares, mask = about["numbers"]["effect_at_lips"], about["numbers"]["lip_mask_share"]
    assert list(shares) == ["masks taken away", "pose", "expression", "lip", "all regions"]
    assert shares["lip"] > 1.5 * mask
    assert shares["pose"] < mask
    assert all(mean > 0 for mean in about["numbers"]["effect_mean"].values())


def test_a_model_with_full_attention_takes_the_first_column(scene: Scene, full_attention: Path, tmp_path: Path) -> None:
    about = read_description(AttentionMaps(str(full_attention)).draw(scene, tmp_path))
    assert "full attention" in about["numbers"]["effect_at_lips"]
    assert about["numbers"]["full"] == scene.other(full_attention).weights
    assert about["numbers"]["full"][:8] in about["says"]


def test_a_model_whose_fusion_is_at_zero_is_told_so(scene: Scene, tmp_path: Path) -> None:
    silent: Animator = lively("fusion=hierarchical")[0]
    for name, parameter in silent.hallo.denoiser.named_parameters():
        if "zero_conv" in name:
            parameter.data.zero_()
    about = read_description(AttentionMaps().draw(replace(scene, animator=silent), tmp_path))
    assert "does not act at all" in about["says"]


def test_a_bundle_that_is_not_there_is_one_sentence(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing"):
        AttentionMaps(str(tmp_path / "missing")).draw(scene, tmp_path)
    assert list(tmp_path.iterdir()) == []
