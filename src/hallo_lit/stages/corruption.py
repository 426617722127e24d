"""Spoiling motion frames, so that a model does not copy its own flaws from clip to clip (arXiv 2410.07718)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


class PatchDrop:
    """Greys out square patches of motion frames and adds noise, as Hallo2 does; works on pictures, not on latents.

    rate: share of patches that go. patch: their side in pixels. noise: standard deviation, pictures being in [-1, 1].
    """

    def __init__(self, rate: float = 0.25, patch: int = 16, noise: float = 0.05) -> None:
        self.rate, self.patch, self.noise = rate, patch, noise

    def __call__(self, past: Tensor, chance: Tensor, noise: Tensor) -> Tensor:
        """past, chance, noise (b, m, 3, H, W)."""
        height, width = past.shape[-2:]
        drawn = chance[:, :, 0, :: self.patch, :: self.patch]  # one number per patch
        kept = F.interpolate((drawn >= self.rate).to(past), scale_factor=self.patch, mode="nearest")
        return torch.clamp(past + self.noise * noise, -1, 1) * kept[:, :, None, :height, :width]
