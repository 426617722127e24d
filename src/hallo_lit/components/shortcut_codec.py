"""A latent codec that can read and write pictures before it has learned anything."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hallo_lit.components.patch_codec import QUIET, PatchCodec
from hallo_lit.components.vae import LatentCodec


class ShortcutCodec(PatchCodec):
    """AutoencoderKL around a linear codec of patches, which is set in closed form; the KL branches start at zero.

    Latents are the principal components of factor x factor patches plus what the encoder adds; pictures are the linear
    reconstruction plus what the decoder adds. A small AutoencoderKL alone spends its first thousand steps on colours.
    """

    def __init__(
        self, channels: Sequence[int], latent_channels: int = 12, layers: int = 1, groups: int = 16, scale: float = 1.0
    ) -> None:
        branches = LatentCodec(channels, latent_channels, layers, groups, scale)
        super().__init__(branches.factor, latent_channels, scale, whitening=0.65)
        self.vae = branches.vae
        last = self.vae.quant_conv
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        nn.init.constant_(last.bias[latent_channels:], QUIET)
        nn.init.zeros_(self.vae.decoder.conv_out.weight)
        nn.init.zeros_(self.vae.decoder.conv_out.bias)

    def moments(self, images: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self.vae.encode(images.flatten(0, -4)).latent_dist
        mean, deviation = ((t * self.scale).unflatten(0, images.shape[:-3]) for t in (posterior.mean, posterior.std))
        return mean + self.linear(images), deviation

    def picture(self, latents: Tensor) -> Tensor:
        made: Tensor = super().picture(latents) + self.vae.decode(latents).sample
        return made
