"""A network that tells made pictures from true ones, for sharper pictures than any average of what might be there."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call


class PatchAdversary(nn.Module):
    """Judges patches (arXiv 1611.07004, section 3.2) with hinge losses (arXiv 1705.02894, equation 3).

    It trains along with what it judges, by the same optimiser, and is no part of the network. weight: of what it asks
    of made pictures. channels: of its layers, each halving the picture; groups: of their norms, which let train() and
    eval() agree.
    """

    def __init__(self, weight: float = 0.05, channels: Sequence[int] = (32, 64, 128), groups: int = 8) -> None:
        super().__init__()
        self.weight = weight
        layers: list[nn.Module] = []
        for cin, cout in zip((3, *channels), channels, strict=False):
            norm = [nn.GroupNorm(groups, cout)] if layers else []  # none on pixels: colours are evidence, too
            layers += [nn.Conv2d(cin, cout, 4, 2, 1), *norm, nn.LeakyReLU(0.2)]
        self.judge = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 3, padding=1))

    def forward(self, made: Tensor, true: Tensor, importance: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Pictures (n, 3, H, W) in [-1, 1]; importance (n, 1, H, W) of places, mean 1.

        Returns two scalars to be minimised: what made pictures are asked for, in which this network is a constant, and
        its own error, in which they are.
        """
        constant = {name: tensor.detach() for name, tensor in self.judge.named_parameters()}
        asked = -functional_call(self.judge, constant, (made,))
        told = F.relu(1 - self.judge(true)) + F.relu(1 + self.judge(made.detach()))
        if importance is not None:
            places = F.interpolate(importance, asked.shape[-2:], mode="area")
            asked, told = asked * places, told * places
        return asked.mean(), told.mean()
