"""A linear codec of patches whose pictures a small network finishes."""

from __future__ import annotations

from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from hallo_lit.components.patch_codec import PatchCodec


class FinishedCodec(PatchCodec):
    """Latents are those of `PatchCodec`; what the network adds to its pictures starts at nothing.

    Patches that were each predicted a little wrong do not meet at their edges. The network sees several patches around
    every pixel, in cells of `cell` x `cell` pixels; `stage=decoder` trains it on what a denoiser predicts.
    """

    def __init__(
        self,
        factor: int = 8,
        latent_channels: int = 32,
        scale: float = 1.0,
        whitening: float = 0.5,
        width: int = 48,
        blocks: int = 2,
        cell: int = 4,
        groups: int = 16,
    ) -> None:
        super().__init__(factor, latent_channels, scale, whitening)
        self.finish = Finish(width, blocks, cell, groups)

    def picture(self, latents: Tensor) -> Tensor:
        made = super().picture(latents)
        return made + self.finish(made)


class Finish(nn.Module):
    """Pictures (n, 3, H, W) -> what to add to them; H and W are multiples of `cell`."""

    def __init__(self, width: int, blocks: int, cell: int, groups: int) -> None:
        super().__init__()
        self.cell = cell
        self.conv_in = nn.Conv2d(3 * cell**2, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            ResnetBlock2D(in_channels=width, temb_channels=None, groups=groups)  # type: ignore[arg-type]
            for _ in range(blocks)
        )
        self.norm, self.act = nn.GroupNorm(groups, width), nn.SiLU()
        self.conv_out = nn.Conv2d(width, 3 * cell**2, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv_in(pixel_unshuffle(images, self.cell))
        for block in self.blocks:
            x = block(x, None)
        return pixel_shuffle(self.conv_out(self.act(self.norm(x))), self.cell)
