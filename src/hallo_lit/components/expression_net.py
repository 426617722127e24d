"""Lids, brows and gaze: gives a portrait another expression before the denoiser sees it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from hallo_lit.structs import REGIONS

LIP = REGIONS.index("lip")
FLOW, LIGHT = 2, 3  # channels of a map
REACH = 0.1  # of half the picture, by which a map of ones moves it
FINER = 2  # maps are so much finer than features


class ExpressionNet(nn.Module):
    """What people do beside talking cannot be heard: whoever guesses it from sound draws its mean, which never blinks.

    So it is told. Every control has a map of its own, seen in the portrait: where pixels come from (a shut lid is the
    skin above it, drawn down) and how much lighter they are; the picture moves by sum_k control_k * map_k, outside the
    lips. Moved pixels stay as sharp as the photo is. Controls are differences from the portrait's own expression. The
    picture takes the portrait's place as the guess that the denoiser starts from (`process.prior`, `reference_input`),
    in every pass of guidance alike. `animation.liveliness` draws controls for a video, `data.samples.expression` reads
    true ones.

    controls: their names, among blink, brow, gaze_x and gaze_y of `data.synthetic.controls`. cell: pixels of the side
    of a feature; maps are twice as fine.
    """

    def __init__(
        self,
        controls: Sequence[str] = ("blink", "brow", "gaze_x", "gaze_y"),
        width: int = 48,
        blocks: int = 3,
        groups: int = 16,
        cell: int = 4,
    ) -> None:
        super().__init__()
        self.controls, self.cell = tuple(controls), cell
        embedded = 4 * width
        self.embed = nn.Sequential(nn.Linear(len(self.controls), embedded), nn.SiLU(), nn.Linear(embedded, embedded))
        self.conv_in = nn.Conv2d(3 * cell**2 + len(REGIONS), width, 3, padding=1)
        self.blocks = nn.ModuleList(
            ResnetBlock2D(in_channels=width, temb_channels=embedded, groups=groups) for _ in range(blocks)
        )
        self.norm, self.act = nn.GroupNorm(groups, width), nn.SiLU()
        self.conv_out = nn.Conv2d(width, len(self.controls) * (FLOW + LIGHT) * FINER**2, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, picture: Tensor, controls: Tensor, regions: Tensor) -> Tensor:
        """picture (b, 3, H, W) in [-1, 1], controls (b, f, k), regions (b, f or 1, r, h, w) -> (b, f, 3, H, W).

        H and W are multiples of `cell`.
        """
        frames = controls.shape[1]
        told = controls.flatten(0, 1)  # (n, k), n = b f
        masks = regions.expand(-1, frames, -1, -1, -1).flatten(0, 1).to(picture)
        seen = F.pixel_unshuffle(picture, self.cell).repeat_interleave(frames, 0)
        x = self.conv_in(torch.cat([seen, _resized(masks, seen)], 1))
        embedded = self.embed(told)
        for block in self.blocks:
            x = block(x, embedded)
        maps = F.pixel_shuffle(self.conv_out(self.act(self.norm(x))), FINER).unflatten(1, (len(self.controls), -1))
        change = torch.einsum("nk,nkchw->nchw", told, maps)
        change = change * (1 - _resized(masks[:, LIP : LIP + 1], change))
        full = picture.repeat_interleave(frames, 0).float()  # half precision would shake the pixels
        flow, light = _resized(change.float(), full).split((FLOW, LIGHT), 1)
        same = torch.eye(2, 3, device=full.device).expand(len(full), 2, 3)
        grid = F.affine_grid(same, list(full.shape), align_corners=False) + REACH * flow.permute(0, 2, 3, 1)
        moved = F.grid_sample(full, grid, "bilinear", "border", align_corners=False) + light
        return moved.to(picture.dtype).unflatten(0, (-1, frames))


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)
