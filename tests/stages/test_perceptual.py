from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.stages.base import DiffusionStage
from hallo_lit.stages.perceptual import PyramidDistance, VggDistance

from .small import ALL, batch_of, stage_of


def test_a_blurred_edge_is_farther_than_a_shift_of_brightness_of_the_same_size() -> None:
    distance = PyramidDistance()
    true = torch.zeros(1, 3, 32, 32)
    true[..., 16:] = 1
    blurred = torch.nn.functional.avg_pool2d(true, 5, 1, 2, count_include_pad=False)
    size = (blurred - true).abs().mean()
    assert float(distance(true, true)) == 0
    assert distance(blurred, true) > distance(true + size, true)


def test_odd_and_small_pictures_are_no_problem() -> None:
    for side in (1, 3, 7, 33):
        picture = torch.rand(2, 3, side, side)
        assert torch.isfinite(PyramidDistance()(picture, picture.flip(0)))


def test_vgg_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"vgg16\.pth"):
        VggDistance(tmp_path / "vgg16.pth")


def test_the_term_reaches_the_denoiser_through_the_codec(store: Path) -> None:
    more = (ALL, "perceptual=pyramid", "data.samples.source=pixels")
    stage: Any = stage_of(store, *more)
    assert isinstance(stage, DiffusionStage)
    batch = batch_of(store, *more)
    made = stage.losses(batch, stage.streams(batch.index, validating=True), stage.objective.drop_rates)
    (gradient,) = torch.autograd.grad(made.parts["perceptual"], stage.network.denoiser.conv_out.bias)
    assert gradient.abs().sum() > 0
    without = stage_of(store, ALL)
    alone = without.losses(batch, without.streams(batch.index, validating=True), stage.objective.drop_rates)
    torch.testing.assert_close(made.loss, alone.loss + 0.1 * made.parts["perceptual"])
