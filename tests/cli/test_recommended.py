from __future__ import annotations

from typing import Any

import pytest

from hallo_lit.cli.compose import compose, plain
from hallo_lit.cli.recommended import adopt, named_by
from hallo_lit.errors import UserError
from hallo_lit.weights.bundle import open_bundle

NAME = "hallo_lit.diffusion"
BUNDLE: dict[str, Any] = {
    "sampler": {"_target_": f"{NAME}.sampler.Sampler", "solver": "unipc", "steps": 2},
    "guidance": {"_target_": f"{NAME}.guidance.JointGuidance", "scale": 1.5},
    "frames": 24,
    "model": {"not": "a setting"},
}


def adopted(*overrides: str) -> dict[str, Any]:
    return adopt(compose("animate", *overrides), compose("animate"), BUNDLE, named_by(overrides))


def test_a_bundle_is_sampled_as_it_recommends() -> None:
    found = adopted("seed=7", "lip_weight=2")
    usual = plain(compose("animate", "seed=7", "lip_weight=2"))
    said = {key: BUNDLE[key] for key in ("sampler", "guidance", "frames")}
    assert found == {**usual, **said, "crop_margin": 1.0, "photo_detail": False}  # what no word about them means


@pytest.mark.parametrize(
    ("overrides", "margin"),
    [([], 0.9), (["model=hallo"], 0.9), (["crop_margin=0.8"], 0.8), (["crop_margin=0.78"], 0.78)],
)
def test_a_face_is_cropped_as_the_bundle_was_trained(overrides: list[str], margin: float) -> None:
    bundle = {**BUNDLE, "crop_margin": 0.9}
    found = adopt(compose("animate", *overrides), compose("animate"), bundle, named_by(overrides))
    assert found["crop_margin"] == margin


def test_without_a_bundle_nothing_changes() -> None:
    cfg = compose("animate", "seed=3")
    assert adopt(cfg, compose("animate"), {}, []) == plain(cfg)


@pytest.mark.parametrize(
    ("overrides", "key", "expected"),
    [
        (["sampler.steps=10"], "sampler", {"solver": "unipc", "steps": 10}),
        (["sampler.steps=40"], "sampler", {"solver": "unipc", "steps": 40}),  # the usual value, asked for
        (["sampler=ddim"], "sampler", {"solver": "ddim", "steps": 40}),
        (["sampler=dpm"], "sampler", {"solver": "dpm", "steps": 20}),
        (["preset=fast"], "sampler", {"solver": "dpm", "steps": 12}),
        (["cfg_scale=2"], "guidance", {"scale": 2}),
        (["cfg_scale=3.5"], "guidance", {"scale": 3.5}),
        (["guidance.scale=4"], "guidance", {"scale": 4}),
        (["guidance=joint"], "guidance", {"scale": 3.5}),
    ],
)
def test_unless_asked_otherwise(overrides: list[str], key: str, expected: dict[str, Any]) -> None:
    found = adopted(*overrides)[key]
    assert {name: value for name, value in found.items() if name != "_target_"} == expected


def test_a_part_of_another_class_comes_whole() -> None:
    assert adopted("guidance=split", "guidance.audio=5")["guidance"] == {
        "_target_": f"{NAME}.guidance.SplitGuidance",
        "audio": 5,
        "image": 3.5,
    }
    assert adopted("frames=14")["frames"] == 14


def test_the_bundle_is_left_as_it_was() -> None:
    adopted("sampler.steps=10")
    assert BUNDLE["sampler"]["steps"] == 2


def test_another_fusion_than_the_bundles_is_refused() -> None:
    """Else a number of the one would stand under the name of the other."""
    bundle = open_bundle("tiny")[1]
    for words in (["fusion=spatial_basis"], ["face_encoder=conv"]):
        adopt(compose("evaluate", *words), compose("evaluate"), bundle, named_by(words))
    with pytest.raises(UserError, match="GatedFusion, and these weights were trained with SpatialBasisFusion"):
        adopt(compose("evaluate", "fusion=gated"), compose("evaluate"), bundle, ["fusion"])
