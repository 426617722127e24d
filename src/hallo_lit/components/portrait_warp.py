"""Moves the pixels of a portrait by numbers: what networks of expressions and of the head have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from hallo_lit.structs import REGIONS

FLOW = 2  # channels: across, down
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

    channels: ClassVar[int] = FLOW
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

    def change(self, picture: Tensor, controls: Tensor, masks: Tensor) -> Tensor:
        """picture (b, 3, H, W) in [-1, 1], controls (n, k), masks (n, r, h, w), n = b f -> (n, channels, h', w').

        H and W are multiples of `cell`, h' and w' are H and W times 2 / cell. The first two channels say where pixels
        come from, right and down, in tenths of half the picture.
        """
        told = controls / self.units.to(controls)
        seen = F.pixel_unshuffle(picture, self.cell).repeat_interleave(len(told) // len(picture), 0)
        x = self.conv_in(torch.cat([seen, resized(masks, seen)], 1))
        embedded = self.embed(told)
        for block in self.blocks:
            x = block(x, embedded)
        maps = F.pixel_shuffle(self.conv_out(self.act(self.norm(x))), FINER).unflatten(1, (len(self.controls), -1))
        return torch.einsum("nk,nkchw->nchw", told, maps)

    @staticmethod
    def moved(pictures: Tensor, flow: Tensor) -> Tensor:
        """pictures (n, 3, H, W), flow (n, 2, H, W) -> (n, 3, H, W) fp32; borders are replicated."""
        full = pictures.float()  # half precision would shake the pixels
        same = torch.eye(2, 3, device=full.device).expand(len(full), 2, 3)
        grid = F.affine_grid(same, list(full.shape), align_corners=False) + REACH * flow.permute(0, 2, 3, 1)
        return F.grid_sample(full, grid, "bilinear", "border", align_corners=False)


def resized(x: Tensor, like: Tensor) -> Tensor:
    """(n, c, h, w) at the height and width of another one."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)
