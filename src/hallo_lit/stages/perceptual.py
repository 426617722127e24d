"""Distances between pictures that care about structure, and the loss terms made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hallo_lit.stages.objective import Step
from hallo_lit.weights.reading import read_state
from hallo_lit.weights.strict import load_strictly


class PictureDistance(Protocol):
    def __call__(self, made: Tensor, true: Tensor) -> Tensor:
        """Pictures (n, 3, H, W) in [-1, 1] -> a scalar."""


class PyramidDistance:
    """L1 between Laplacian pyramids (arXiv 1707.05776, section 3.1): edges count at every scale; needs no weights."""

    def __init__(self, levels: int = 4) -> None:
        self.levels = levels

    def __call__(self, made: Tensor, true: Tensor) -> Tensor:
        rest = made - true  # the pyramid is linear
        total = rest.new_zeros(())
        for level in range(self.levels):
            if level == self.levels - 1 or min(rest.shape[-2:]) < 4:
                return total + 2**level * rest.abs().mean()
            small = F.avg_pool2d(rest, 2, ceil_mode=True)
            total = total + 2**level * (rest - F.interpolate(small, rest.shape[-2:], mode="bilinear")).abs().mean()
            rest = small
        return total


class VggDistance:
    """L1 between features of VGG-16 (arXiv 1603.08155), read from torchvision's own weight file.

    layers: indices into its `features`, after which maps are compared.
    """

    def __init__(self, weights: str | Path, layers: tuple[int, ...] = (3, 8, 15, 22)) -> None:
        """
        Raises:
            UserError: the file is missing, damaged or of another network.
        """
        from torchvision.models import vgg16

        state = read_state(Path(weights))
        with torch.device("meta"):
            network: Any = vgg16(weights=None)
        load_strictly(network, state, str(weights))
        self.layers = frozenset(layers)
        self.features: nn.Module = network.features[: max(layers) + 1].eval().requires_grad_(False)
        self.shift = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        self.spread = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    def __call__(self, made: Tensor, true: Tensor) -> Tensor:
        self.features.to(made.device)
        x = torch.cat([made, true]).float() / 2 + 0.5
        x = (x - self.shift.to(x)) / self.spread.to(x)
        total = x.new_zeros(())
        for index, layer in enumerate(self.features.children()):
            x = layer(x)
            if index in self.layers:
                a, b = x.chunk(2)
                total = total + (a - b).abs().mean()
        return total


class PerceptualLoss:
    """A distance between the decoded prediction and the true frames; clips count as much as they hold signal.

    frames: how many frames of every clip are decoded, evenly spaced; decoding keeps the codec's activations.
    """

    needs_pixels = True

    def __init__(self, distance: PictureDistance, weight: float = 0.1, frames: int = 2) -> None:
        self.distance, self.weight, self.frames = distance, weight, frames

    def __call__(self, step: Step) -> Tensor:
        count = step.batch.frames.shape[1]
        chosen = torch.linspace(0, count - 1, min(self.frames, count)).round().long().tolist()
        total = step.clean.new_zeros(())
        for clean, true, timestep in zip(step.clean, step.batch.frames, step.noised.timestep, strict=True):
            share = 1 - timestep.float() / 1000
            made = step.hallo.codec.decode(clean[chosen], len(chosen))
            total = total + share * self.distance(made, true[chosen])
        return total / len(step.clean)
