"""What can be set in closed form is set before the first step: linear codecs, and the spreads of a prior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hallo_lit.components.vae import Codec
from hallo_lit.data.dataset import ClipDataset
from hallo_lit.diffusion.reference_prior import residual_spread
from hallo_lit.stages.say import say
from hallo_lit.structs import REGIONS

SAMPLES = 400  # to look at, at most; every one gives its portrait and its first frames
FRAMES = 4
MEMORY = 400e6  # bytes of pictures, at most
LIP = REGIONS.index("lip")


@runtime_checkable
class Fitting(Protocol):
    """A codec that learns its linear part from pictures at once. fitted: the parameters that are set so."""

    factor: int
    fitted: tuple[str, ...]

    def fit(self, images: Tensor, importance: Tensor | None = None) -> None:
        """images (n, 3, H, W) in [-1, 1]; importance (n, 1, h, w) of the places of the latents."""


@dataclass(frozen=True)
class Seen:
    """Samples of a training set: images (n, 1 + f, 3, H, W), portraits first, and region masks (n, r, H', W')."""

    images: Tensor
    regions: Tensor

    @classmethod
    def of(cls, data: object) -> Seen | None:
        """Draws spread over the set, changed as training changes them; the same on every rank. None: no pictures."""
        if not isinstance(data, ClipDataset) or data.source == "latents":
            return None
        images, regions = [], []
        one = 4 * 3 * math.prod(data.size) * (1 + min(FRAMES, data.policy.frames))
        count = min(SAMPLES, len(data), max(16, int(MEMORY / one)))
        for index in torch.linspace(0, len(data) - 1, count).round().int().tolist():
            sample = data[index]
            images.append(torch.cat([sample.portrait[None], sample.frames[:FRAMES]]))
            regions.append(sample.regions if sample.regions.ndim == 3 else sample.regions[0])
        return cls(torch.stack(images), torch.stack(regions))

    def masks(self, factor: int) -> Tensor:
        """Regions (n, r, h, w) at the places of the latents."""
        size = (self.images.shape[-2] // factor, self.images.shape[-1] // factor)
        if self.regions.shape[-2:] == (1, 1):
            return self.regions.expand(-1, -1, *size)
        return F.interpolate(self.regions, size, mode="bilinear", antialias=True)

    def __len__(self) -> int:
        return self.images.shape[0] * self.images.shape[1]


def wants_fit(codec: nn.Module, untrained: Sequence[str]) -> bool:
    """Whether the codec has a linear part that is among the untrained parameters (named as in the codec)."""
    return isinstance(codec, Fitting) and not set(untrained).isdisjoint(codec.fitted)


def fit_linear(codec: Fitting, seen: Seen, device: torch.device, lip_weight: float = 1.0) -> None:
    """Sets the linear part; places inside the lips count `lip_weight` times."""
    weight = 1 + (lip_weight - 1) * seen.masks(codec.factor)[:, LIP:]
    codec.fit(seen.images.flatten(0, 1).to(device), weight.repeat_interleave(seen.images.shape[1], 0).to(device))
    say(f"the linear part of the codec is fitted to {len(seen)} pictures")


@torch.no_grad()
def spread_of(codec: Codec, seen: Seen, chunk: int = 64) -> dict[str, list[float]]:
    """How far latents of frames leave those of their portraits, see `residual_spread`."""
    device, count = next(codec.parameters()).device, seen.images.shape[1]
    encoded = [codec.encode(part.to(device)).cpu() for part in seen.images.flatten(0, 1).split(chunk)]
    latents = torch.cat(encoded).unflatten(0, (-1, count))
    still = latents[:, :1].expand(-1, count - 1, -1, -1, -1).flatten(0, 1)
    masks = seen.masks(codec.factor).repeat_interleave(count - 1, 0)
    return residual_spread(latents[:, 1:].flatten(0, 1), still, masks)
