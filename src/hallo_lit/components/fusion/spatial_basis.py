"""Hierarchical fusion that also tells the audio where the mouth is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.structs import REGIONS

LIP = REGIONS.index("lip")


class SpatialBasisFusion(HierarchicalFusion):
    """Beside the masked attentions, sum_k B_k(place) * Linear_k(audio): B is a grid of Gaussians laid over the mouth.

    Attention has to find the lips by content; here every audio feature has its own value at each of `grid` x `grid`
    places in mouth coordinates, whose origin and unit are the centre and half the width of the lip mask. The projection
    starts at zero. The basis is weighed by the lips' scale, and silence adds nothing.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        audio_dim: int,
        branches: Sequence[str] = REGIONS,
        grid: int = 3,
        spread: float = 0.6,
        reach: float = 1.0,
    ) -> None:
        """`spread` of each Gaussian and `reach` of the outermost centres are in half mouth widths."""
        super().__init__(dim, heads, audio_dim, branches)
        self.grid, self.spread, self.reach = grid, spread, reach
        self.basis = nn.Linear(audio_dim, grid * grid * dim, bias=False)
        nn.init.zeros_(self.basis.weight)

    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        update = super().forward(x, audio, masks, scale)
        if audio is None:
            return update
        values = self.basis(audio.mean(1)).unflatten(-1, (self.grid**2, -1))  # (n, k, dim)
        places = gaussians(masks[:, LIP], self.grid, self.spread, self.reach).to(values)
        return update + scale[LIP] * (places.transpose(1, 2) @ values)


def gaussians(lip: Tensor, grid: int, spread: float, reach: float) -> Tensor:
    """(n, h, w) lip masks -> (n, grid^2, h w): a Gaussian bump around each place of a grid over the mouth.

    Centre and half width come from the moments of the mask. It is a box of twice the lips' size, so their half width is
    a quarter of the box, sqrt(12) / 4 of its standard deviation.
    """
    n, h, w = lip.shape
    lip = lip.float() + 1e-6  # a mask of zeros means the whole picture
    total = lip.sum((1, 2))
    rows, columns = (torch.arange(size, device=lip.device) + 0.5 for size in (h, w))
    across, down = lip.sum(1) / total[:, None], lip.sum(2) / total[:, None]  # (n, w), (n, h)
    x, y = across @ columns, down @ rows
    half = (12**0.5 / 4) * ((across * (columns - x[:, None]).square()).sum(1)).sqrt().clamp(min=0.3)
    centres = torch.linspace(-reach, reach, grid, device=lip.device)

    def bumps(place: Tensor, middle: Tensor) -> Tensor:
        offset = (place - middle[:, None]) / half[:, None]
        return torch.exp(-((offset[:, None] - centres[:, None]) / spread).square())  # (n, grid, places)

    both = bumps(rows, y)[:, :, None, :, None] * bumps(columns, x)[:, None, :, None, :]
    return both.reshape(n, grid * grid, h * w)
