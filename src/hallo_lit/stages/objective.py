"""What a diffusion stage minimises, and the seams through which a process or another loss joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.process import Denoise, Noised
from hallo_lit.errors import UserError
from hallo_lit.structs import ClipBatch, Conditioning, DropRates


class Process(Protocol):
    """What a stage asks of a noise process; `diffusion.process.NoiseProcess` is the usual one."""

    def draw(self, latents: Tensor, generator: torch.Generator | None = None) -> Noised: ...

    def predictor(self, denoise: Denoise) -> Denoise: ...

    def loss(self, prediction: Tensor, noised: Noised, importance: Tensor | None = None) -> Tensor: ...

    def snr(self, timestep: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Step:
    """Everything an auxiliary loss may want to look at."""

    hallo: Hallo
    batch: ClipBatch
    latents: Tensor  # (b, f, c, h, w) of the clip itself
    noised: Noised
    cond: Conditioning
    prediction: Tensor  # (b, f, c, h, w) velocity
    process: Process

    @cached_property
    def clean(self) -> Tensor:
        """Latents (b, f, c, h, w) that the prediction amounts to."""
        return clean_latents(self.process, self.prediction, self.noised)

    @cached_property
    def error(self) -> Tensor:
        """Mean squared error of every clip, (b,), for reports."""
        return (self.prediction.detach().float() - self.noised.target.float()).square().flatten(1).mean(1)


class LossTerm(Protocol):
    """An auxiliary loss; a term that is an `nn.Module` has its parameters trained along and kept in checkpoints."""

    weight: float
    needs_pixels: bool  # the frames themselves, so cached latents will not do

    def __call__(self, step: Step) -> Tensor:
        """A scalar, not yet weighted."""


class Corruption(Protocol):
    """Spoils motion frames, as a model's own will be spoilt in long videos (Hallo2, arXiv 2410.07718)."""

    def __call__(self, past: Tensor, chance: Tensor, noise: Tensor) -> Tensor:
        """past and noise (b, m, 3, H, W), chance (b, m, 3, H, W) uniform in [0, 1)."""


@dataclass(frozen=True)
class Objective:
    """lip_weight: how much more an error inside the lip mask counts than one outside; 1 = the paper."""

    drop_rates: DropRates = field(default_factory=DropRates)
    lip_weight: float = 1.0
    corruption: Corruption | None = None
    terms: Mapping[str, LossTerm] = field(default_factory=dict)

    @property
    def pixel_users(self) -> list[str]:
        """What of this objective cannot work on cached latents."""
        terms = [f"the {name} loss" for name, term in self.terms.items() if term.needs_pixels]
        return terms + (["corrupting motion frames"] if self.corruption is not None else [])

    def refuse_terms(self, stage: str) -> None:
        """For stages that compare pictures by themselves.

        Raises:
            UserError: there are losses that such a stage would not look at.
        """
        if self.terms:
            raise UserError(
                f"stage={stage} weighs its pictures by itself: switch the {' and the '.join(self.terms)} loss off "
                "(perceptual=none, auxiliary=none)."
            )

    def weights(self, regions: Tensor, latents: Tensor) -> Tensor | None:
        """Weights of mean 1 per clip, (b, k, 1, h, w), for masks (b, r, H, W) or (b, f, r, H, W); None = all equal."""
        if self.lip_weight == 1:
            return None
        masks = regions if regions.ndim == 5 else regions[:, None]
        lips = F.interpolate(masks[:, :, -1].float(), latents.shape[-2:], mode="bilinear", antialias=True)
        weights = 1 + (self.lip_weight - 1) * lips[:, :, None]
        return weights / weights.mean((1, 2, 3, 4), keepdim=True)


def clean_latents(process: Process, velocity: Tensor, noised: Noised) -> Tensor:
    """sqrt(alpha) x - sqrt(1 - alpha) v (arXiv 2202.00512), in fp32."""
    snr = process.snr(noised.timestep)
    alpha = (snr / (1 + snr)).float().view(-1, 1, 1, 1, 1)
    return alpha.sqrt() * noised.x.float() - (1 - alpha).sqrt() * velocity.float()
