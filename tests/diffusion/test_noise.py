from __future__ import annotations

import pytest
import torch

from hallo_lit.diffusion.noise import draw_noise


def test_half_noise_is_the_originals_stream() -> None:
    """First values of the original for seed 42, and its two consecutive clips."""
    generator = torch.Generator().manual_seed(42)
    first = draw_noise((1, 4, 16, 64, 64), generator, half=True)
    recorded = torch.tensor([0.38696, 1.47070, 0.14685, -1.11816, 0.67090, -0.20386, 1.85254, -0.49927])
    torch.testing.assert_close(first.flatten()[:8], recorded, atol=1e-5, rtol=1e-4)
    assert float(first.abs().max()) == pytest.approx(3.9043, abs=1e-3)
    assert not torch.equal(draw_noise((1, 4, 16, 64, 64), generator, half=True), first)


def test_a_seed_repeats() -> None:
    drawn = [draw_noise((2, 3), torch.Generator().manual_seed(1)) for _ in range(2)]
    assert torch.equal(*drawn)
    assert drawn[0].dtype == torch.float32
