"""A latent codec without any network: principal components of patches."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from hallo_lit.components.vae import Codec

QUIET = -8.0  # log variance of the latents


class PatchCodec(Codec):
    """Latents are the principal components of factor x factor patches, set in closed form by `fit`.

    For small pictures it keeps more than a small autoencoder learns in hours, and costs nothing. whitening: how far the
    scales of the components are evened out, from 0, as they are, to 1, all equal.
    """

    fitted = ("analysis.weight", "analysis.bias", "synthesis.weight", "synthesis.bias")

    def __init__(self, factor: int = 8, latent_channels: int = 32, scale: float = 1.0, whitening: float = 0.5) -> None:
        super().__init__()
        self.factor, self.latent_channels, self.scale, self.whitening = factor, latent_channels, scale, whitening
        self.analysis = nn.Conv2d(3, latent_channels, factor, factor)
        self.synthesis = nn.ConvTranspose2d(latent_channels, 3, factor, factor)

    def moments(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean = self.linear(images)
        return mean, torch.full_like(mean, self.scale * math.exp(QUIET / 2))

    def linear(self, images: Tensor) -> Tensor:
        """images (..., 3, H, W) -> the components (..., c, h, w), scaled."""
        return self.analysis(images.flatten(0, -4)).unflatten(0, images.shape[:-3]) * self.scale

    def picture(self, latents: Tensor) -> Tensor:
        made: Tensor = self.synthesis(latents)
        return made

    @torch.no_grad()
    def fit(self, images: Tensor, importance: Tensor | None = None) -> None:
        """Sets the linear codec to the principal components of images (n, 3, H, W), whose places weigh (n, 1, h, w).

        Components are divided by their deviation to the power of `whitening`, and all by one number that gives the
        latents a deviation of 1.2: some structure in the scales helps a denoiser, equal ones drown it in weak channels.
        """
        f, c = self.factor, self.latent_channels
        patches = images.double().unfold(2, f, f).unfold(3, f, f)  # (n, 3, h, w, f, f)
        rows = patches.permute(0, 2, 3, 1, 4, 5).flatten(0, 2).flatten(1)  # (n h w, 3 f f)
        weight = rows.new_ones(len(rows)) if importance is None else importance.double().flatten()
        colour = (rows * weight[:, None]).sum(0).unflatten(0, (3, f * f)).mean(1) / weight.sum()
        mean = colour.repeat_interleave(f * f)  # one number per colour: a transposed convolution has no other bias
        centred = rows - mean
        variance, axes = torch.linalg.eigh((centred * weight[:, None]).T @ centred / weight.sum())
        axes = axes[:, -c:].flip(1)
        size = variance[-c:].flip(0).clamp(min=1e-8).sqrt() ** self.whitening
        size = size * ((centred @ axes) / size).std() / 1.2
        read, write = (axes / size).T, (axes * size).T  # (c, 3 f f)
        self.analysis.weight.copy_(read.unflatten(1, (3, f, f)))
        self.analysis.bias.copy_(-(read @ mean))  # type: ignore[union-attr]
        self.synthesis.weight.copy_(write.unflatten(1, (3, f, f)))
        self.synthesis.bias.copy_(colour)  # type: ignore[union-attr]
