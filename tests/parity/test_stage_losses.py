"""`process=released` makes of the original's predictions what the original's training stages make of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from cases_training import clip_major, released
from safetensors.torch import load_file

GOLDEN = Path(__file__).parents[1] / "golden" / "hallo"
VECTORS = load_file(GOLDEN / "stage_losses.safetensors")
TOLERANCE = json.loads((GOLDEN / "stage_losses.json").read_text())["tolerance"]
LOSSES = sorted(name for name in VECTORS if name.endswith(".loss"))


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_both_stages_are_the_originals(name: str) -> None:
    stage, variant = name[0], name.removesuffix(".loss")
    process = released(int(stage))
    latents, noise = (clip_major(VECTORS[f"{stage}.in.{key}"]) for key in ("latents", "noise"))
    noised = process.noised(latents, noise, VECTORS[f"{stage}.in.timesteps"])
    if f"{variant}.weights" in VECTORS:
        torch.testing.assert_close(noised.weight, VECTORS[f"{variant}.weights"])
    loss = process.loss(clip_major(VECTORS[f"{variant}.pred"]), noised)
    assert abs(float(loss) - float(VECTORS[name])) <= TOLERANCE[name]


def test_the_stages_weigh_differently() -> None:
    assert {name[0] for name in LOSSES} == {"1", "2"}
    assert (released(1).weighting, released(2).weighting) == ("clip", "mean")
