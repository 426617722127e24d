"""Moves the pixels of a portrait by numbers: what networks of expressions and of the head have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from hallo_lit.structs import REGIONS

FLOW = 2  # channels: right, down
REACH = 0.1  # of half the picture, by which a map of ones moves it
FINER = 2  # maps are so much finer than features
# of a control that the network sees as 1; `data.synthetic.controls` says what they are
UNITS = {"yaw": 10.0, "pitch": 10.0, "roll": 10.0, "tx": 10.0, "ty": 10.0, "scale": 0.05}


class PortraitWarp(nn.Module):
    """Every control has a map of its own, seen in the portrait; change = sum_k control_k * map_k.

    Controls are differences from the portrait's own. Moved pixels stay as sharp as the photo is.

    controls: their names, among `data.synthetic.controls`. cell: pixels of the side of a feature; maps are twice as
    fine.
    """

    channels: ClassVar[int] = FLOW  # of a map; those beyond are added to the pixels
    units: Tensor

    def __init__(self, controls: Sequence[str], width: int, blocks: int, groups: int, cell: int) -> None:
        super().__init__()
        self.controls, self.cell = tuple(controls), cell
        units = torch.tensor([UNITS.get(name, 1.0) for name in self.controls])
        self.register_buffer("units", units, persistent=False)
        embedded = 4 * width
        self.embed = nn.Sequential(nn.Linear(len(self.controls), embedded), nn.SiLU(), nn.Linear(embedded, embedded))
        self.conv_in = nn.Conv2d(3 * cell**2 + len(REGIONS), width, 3, padding=1)
        self.blocks = nn.ModuleList(
            ResnetBlock2D(in_channels=width, temb_channels=embedded, groups=groups) for _ in range(blocks)
        )
        self.norm, self.act = nn.GroupNorm(groups, width), nn.SiLU()
        self.conv_out = nn.Conv2d(width, len(self.controls) * self.channels * FINER**2, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, picture: Tensor, controls: Tensor, regions: Tensor) -> Tensor:
        """picture (b, 3, H, W) in [-1, 1], controls (b, f, k), regions (b, f or 1, r, h, w) -> (b, f, 3, H, W).

        H and W are multiples of `cell`.
        """
        change = self.change(picture, controls, regions).flatten(0, 1)
        full = picture.repeat_interleave(controls.shape[1], 0).float()  # half precision would shake the pixels
        large = _resized(change, full)
        same = torch.eye(2, 3, device=full.device).expand(len(full), 2, 3)
        grid = F.affine_grid(same, list(full.shape), align_corners=False)
        grid = grid + REACH * large[:, :FLOW].permute(0, 2, 3, 1)
        moved = F.grid_sample(full, grid, "bilinear", "border", align_corners=False)
        if self.channels > FLOW:
            moved = moved + large[:, FLOW:]
        return moved.to(picture.dtype).unflatten(0, controls.shape[:2])

    def change(self, picture: Tensor, controls: Tensor, regions: Tensor) -> Tensor:
        """As `forward`, -> (b, f, channels, h', w') fp32, h' and w' being H and W times 2 / cell.

        The first two channels say where pixels come from, right and down, in tenths of half the picture.
        """
        frames = controls.shape[1]
        masks = regions.expand(-1, frames, -1, -1, -1).flatten(0, 1).to(picture)
        told = controls.flatten(0, 1) / self.units.to(controls)  # (n, k), n = b f
        seen = F.pixel_unshuffle(picture, self.cell).repeat_interleave(frames, 0)
        x = self.conv_in(torch.cat([seen, _resized(masks, seen)], 1))
        embedded = self.embed(told)
        for block in self.blocks:
            x = block(x, embedded)
        maps = F.pixel_shuffle(self.conv_out(self.act(self.norm(x))), FINER).unflatten(1, (len(self.controls), -1))
        change = torch.einsum("nk,nkchw->nchw", told, maps)
        return (change * self.moves(_resized(masks, change))).float().unflatten(0, (-1, frames))

    def moves(self, masks: Tensor) -> Tensor:
        """How much of a change is made where, (n, 1, h', w') of region masks (n, r, h', w')."""
        return torch.ones_like(masks[:, :1])


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)
