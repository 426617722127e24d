from __future__ import annotations

import torch

from hallo_lit.stages.corruption import PatchDrop


def test_whole_patches_go_at_the_rate_asked_for() -> None:
    past = torch.full((8, 2, 3, 40, 24), 0.5)
    chance = torch.rand(past.shape, generator=torch.Generator().manual_seed(0))
    made = PatchDrop(rate=0.25, patch=8, noise=0.0)(past, chance, torch.zeros_like(past))
    assert made.shape == past.shape
    patches = made.unfold(3, 8, 8).unfold(4, 8, 8).flatten(-2)
    assert bool((patches.amin(-1) == patches.amax(-1)).all())
    assert bool((patches[:, :, 0] == patches[:, :, 2]).all())  # all colours of a patch together
    gone = float((patches[:, :, 0, ..., 0] == 0).float().mean())
    assert 0.15 < gone < 0.35


def test_noise_stays_within_the_range_of_pictures() -> None:
    past = torch.ones(1, 1, 3, 20, 20)
    noise = torch.randn(past.shape)
    made = PatchDrop(rate=0.0, patch=16, noise=0.3)(past, torch.ones_like(past), noise)
    torch.testing.assert_close(made, (past + 0.3 * noise).clamp(-1, 1))
