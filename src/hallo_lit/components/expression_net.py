"""Lids, brows and gaze: gives a portrait another expression before the denoiser sees it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from hallo_lit.structs import REGIONS, MaskPyramid

LIP = REGIONS.index("lip")


class ExpressionNet(nn.Module):
    """What people do beside talking cannot be heard: whoever guesses it from sound draws its mean, which never blinks.

    So it is told: latents of frame j = portrait + sum_k control_k(j) * map_k(portrait, controls(j)), outside the lips.
    Controls are differences from the portrait's own expression; zeros leave every bit of it. Those latents take the
    portrait's place as the guess that the denoiser starts from (`process.prior`, `reference_input`), in every pass of
    guidance alike. `animation.liveliness` draws controls for a video, `data.samples.expression` reads true ones.

    controls: their names, among blink, brow, gaze_x and gaze_y of `data.synthetic.controls`.
    """

    def __init__(
        self,
        latent_channels: int,
        controls: Sequence[str] = ("blink", "brow", "gaze_x", "gaze_y"),
        width: int = 64,
        blocks: int = 3,
        groups: int = 16,
    ) -> None:
        super().__init__()
        self.controls = tuple(controls)
        embedded = 4 * width
        self.embed = nn.Sequential(nn.Linear(len(self.controls), embedded), nn.SiLU(), nn.Linear(embedded, embedded))
        self.conv_in = nn.Conv2d(latent_channels + len(REGIONS), width, 3, padding=1)
        self.blocks = nn.ModuleList(
            ResnetBlock2D(in_channels=width, temb_channels=embedded, groups=groups) for _ in range(blocks)
        )
        self.norm, self.act = nn.GroupNorm(groups, width), nn.SiLU()
        self.conv_out = nn.Conv2d(width, latent_channels * len(self.controls), 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, portrait: Tensor, controls: Tensor, masks: MaskPyramid) -> Tensor:
        """portrait (b, c, h, w) latents, controls (b, f, k) -> latents (b, f, c, h, w)."""
        frames = controls.shape[1]
        regions = masks.at(0, frames).unflatten(-1, portrait.shape[-2:])  # (b f, r, h, w)
        told = controls.flatten(0, 1)
        x = self.conv_in(torch.cat([portrait.repeat_interleave(frames, 0), regions.to(portrait)], 1))
        embedded = self.embed(told)
        for block in self.blocks:
            x = block(x, embedded)
        maps = self.conv_out(self.act(self.norm(x))).unflatten(1, (len(self.controls), -1))  # (b f, k, c, h, w)
        change = torch.einsum("nk,nkchw->nchw", told, maps) * (1 - regions[:, LIP : LIP + 1])
        return portrait[:, None] + change.unflatten(0, (-1, frames))
