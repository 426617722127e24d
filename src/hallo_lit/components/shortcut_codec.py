"""A latent codec that can read and write pictures before it has learned anything."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hallo_lit.components.vae import LatentCodec

QUIET = -8.0  # log variance of the untrained posterior


class ShortcutCodec(LatentCodec):
    """AutoencoderKL around a linear codec of patches, which is set in closed form; the KL branches start at zero.

    Latents are the principal components of factor x factor patches plus what the encoder adds; pictures are the linear
    reconstruction plus what the decoder adds. A small AutoencoderKL alone spends its first thousand steps on colours.
    """

    def __init__(
        self, channels: Sequence[int], latent_channels: int = 12, layers: int = 1, groups: int = 16, scale: float = 1.0
    ) -> None:
        super().__init__(channels, latent_channels, layers, groups, scale)
        patch = {"kernel_size": self.factor, "stride": self.factor}
        self.analysis = nn.Conv2d(3, latent_channels, **patch)
        self.synthesis = nn.ConvTranspose2d(latent_channels, 3, **patch)
        last = self.vae.quant_conv
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        nn.init.constant_(last.bias[latent_channels:], QUIET)
        nn.init.zeros_(self.vae.decoder.conv_out.weight)
        nn.init.zeros_(self.vae.decoder.conv_out.bias)

    def moments(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, deviation = super().moments(images)
        return mean + self.linear(images), deviation

    def linear(self, images: Tensor) -> Tensor:
        """images (..., 3, H, W) -> the latents (..., c, h, w) without what the encoder adds (nothing, at first)."""
        return self.analysis(images.flatten(0, -4)).unflatten(0, images.shape[:-3]) * self.scale

    def decode(self, latents: Tensor, chunk: int = 8) -> Tensor:
        return torch.cat([self._picture(part / self.scale) for part in latents.split(chunk)])

    def _picture(self, latents: Tensor) -> Tensor:
        return self.synthesis(latents) + self.vae.decode(latents).sample

    @torch.no_grad()
    def fit(self, images: Tensor, importance: Tensor | None = None, whitening: float = 0.65) -> None:
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
        size = variance[-c:].flip(0).clamp(min=1e-8).sqrt() ** whitening
        size = size * ((centred @ axes) / size).std() / 1.2
        read, write = (axes / size).T, (axes * size).T  # (c, 3 f f)
        self.analysis.weight.copy_(read.unflatten(1, (3, f, f)))
        self.analysis.bias.copy_(-(read @ mean))  # type: ignore[union-attr]
        self.synthesis.weight.copy_(write.unflatten(1, (3, f, f)))
        self.synthesis.bias.copy_(colour)  # type: ignore[union-attr]
