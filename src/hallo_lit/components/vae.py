"""Latent codecs, and the usual one: diffusers' AutoencoderKL behind two functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn


class Codec(nn.Module):
    """Pictures in [-1, 1] to latents and back; what a codec defines is `moments` and `picture`."""

    latent_channels: int
    factor: int  # pixels per latent along each side
    scale: float  # of the latents

    def moments(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the scaled latents of images (..., 3, H, W), each (..., c, h, w)."""
        raise TypeError(f"{type(self).__name__} does not define moments")

    def picture(self, latents: Tensor) -> Tensor:
        """Unscaled latents (n, c, h, w) -> images (n, 3, H, W), not clamped."""
        raise TypeError(f"{type(self).__name__} does not define picture")

    def encode(self, images: Tensor, sample: bool = False, generator: torch.Generator | None = None) -> Tensor:
        """images (..., 3, H, W) -> latents (..., c, h, w): the posterior's mean, or a draw from it."""
        mean, std = self.moments(images)
        if not sample:
            return mean
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=_device_of(generator, mean))
        return mean + std * noise.to(mean.device)

    def decode(self, latents: Tensor, chunk: int = 8) -> Tensor:
        """latents (n, c, h, w) -> images (n, 3, H, W), not clamped; `chunk` pictures at a time bound the memory."""
        return torch.cat([self.picture(part / self.scale) for part in latents.split(chunk)])


class LatentCodec(Codec):
    """Latents are scaled to about unit variance.

    The picture is halved len(channels) - 1 times. The defaults are Stable Diffusion 1.5's.
    """

    def __init__(
        self,
        channels: Sequence[int] = (128, 256, 512, 512),
        latent_channels: int = 4,
        layers: int = 2,
        groups: int = 32,
        scale: float = 0.18215,
    ) -> None:
        super().__init__()
        levels = len(channels)
        self.vae: Any = AutoencoderKL(
            block_out_channels=tuple(channels),
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            layers_per_block=layers,
            latent_channels=latent_channels,
            norm_num_groups=groups,
            scaling_factor=scale,
        )
        self.latent_channels, self.scale, self.factor = latent_channels, scale, 2 ** (levels - 1)

    def moments(self, images: Tensor) -> tuple[Tensor, Tensor]:
        lead = images.shape[:-3]
        posterior = self.vae.encode(images.flatten(0, -4)).latent_dist
        return tuple((t * self.scale).unflatten(0, lead) for t in (posterior.mean, posterior.std))

    def picture(self, latents: Tensor) -> Tensor:
        made: Tensor = self.vae.decode(latents).sample
        return made


def _device_of(generator: torch.Generator | None, like: Tensor) -> torch.device:
    return like.device if generator is None else generator.device
