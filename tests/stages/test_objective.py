from __future__ import annotations

import torch

from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.stages.corruption import PatchDrop
from hallo_lit.stages.objective import Objective, clean_latents
from hallo_lit.stages.perceptual import PerceptualLoss, PyramidDistance

LATENTS = torch.randn(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(1))


def test_lips_count_more_and_the_mean_stays() -> None:
    regions = torch.zeros(2, 3, 16, 16)
    regions[:, 2, 8:, 4:12] = 1
    weights = Objective(lip_weight=4.0).weights(regions, LATENTS)
    assert weights is not None
    assert weights.shape == (2, 1, 1, 8, 8)
    torch.testing.assert_close(weights.mean((1, 2, 3, 4)), torch.ones(2))
    inside, outside = weights[0, 0, 0, 6, 3], weights[0, 0, 0, 0, 0]
    torch.testing.assert_close(inside / outside, torch.tensor(4.0))


def test_masks_of_every_frame_weigh_every_frame() -> None:
    regions = torch.rand(2, 3, 3, 16, 16)
    weights = Objective(lip_weight=2.0).weights(regions, LATENTS)
    assert weights is not None
    assert weights.shape == (2, 3, 1, 8, 8)


def test_the_paper_weighs_all_alike() -> None:
    assert Objective().weights(torch.rand(2, 3, 4, 4), LATENTS) is None


def test_the_true_velocity_gives_the_true_latents() -> None:
    process = NoiseProcess()
    noise = torch.randn(LATENTS.shape, generator=torch.Generator().manual_seed(2))
    noised = process.noised(LATENTS, noise, torch.tensor([999, 30]))
    torch.testing.assert_close(clean_latents(process, noised.target, noised), LATENTS, atol=1e-4, rtol=1e-4)


def test_what_needs_pictures_says_so() -> None:
    term = PerceptualLoss(PyramidDistance())
    assert Objective().pixel_users == []
    users = Objective(corruption=PatchDrop(), terms={"perceptual": term}).pixel_users
    assert users == ["the perceptual loss", "corrupting motion frames"]
