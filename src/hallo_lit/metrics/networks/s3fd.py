"""S3FD, the face detector whose boxes SyncNet's crops are defined by."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ANCHORS = (16, 32, 64, 128, 256, 512)  # one square anchor per map, pixels
_STRIDES = (4, 8, 16, 32, 64, 128)
_VARIANCES = (0.1, 0.2)
_VGG = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool up", 512, 512, 512, "pool", 512, 512, 512, "pool")
_TAPS = {15: "L2Norm3_3", 22: "L2Norm4_3", 29: "L2Norm5_3"}  # index in vgg -> norm of the map taken there
_WIDTHS = (256, 512, 512, 1024, 512, 256)


class L2Norm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight[:, None, None] * x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10)


def _vgg() -> nn.ModuleList:
    layers: list[nn.Module] = []
    width = 3
    for entry in _VGG:
        if isinstance(entry, int):
            layers += [nn.Conv2d(width, entry, 3, padding=1), nn.ReLU(inplace=True)]
            width = entry
        else:
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=entry == "pool up"))
    layers += [nn.Conv2d(512, 1024, 3, padding=6, dilation=6), nn.ReLU(inplace=True)]
    layers += [nn.Conv2d(1024, 1024, 1), nn.ReLU(inplace=True)]
    return nn.ModuleList(layers)


class S3FD(nn.Module):
    """Parameter names are those of `sfd_face.pth`."""

    MEAN = (123.0, 117.0, 104.0)

    def __init__(self) -> None:
        super().__init__()
        self.vgg = _vgg()
        self.L2Norm3_3, self.L2Norm4_3, self.L2Norm5_3 = L2Norm(256), L2Norm(512), L2Norm(512)
        self.extras = nn.ModuleList(
            [
                nn.Conv2d(1024, 256, 1),
                nn.Conv2d(256, 512, 3, 2, 1),
                nn.Conv2d(512, 128, 1),
                nn.Conv2d(128, 256, 3, 2, 1),
            ]
        )
        self.loc = nn.ModuleList(nn.Conv2d(width, 4, 3, padding=1) for width in _WIDTHS)
        self.conf = nn.ModuleList(nn.Conv2d(width, 4 if i == 0 else 2, 3, padding=1) for i, width in enumerate(_WIDTHS))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raw offsets (n, P, 4), class probabilities (n, P, 2) and anchors (P, 4) as cx, cy, w, h of the picture.

        Args:
            x: (n, 3, H, W) RGB in 0..255 minus `MEAN`.
        """
        size = (x.shape[2], x.shape[3])
        maps = []
        for index, layer in enumerate(self.vgg):
            x = layer(x)
            if index in _TAPS:
                maps.append(self.get_submodule(_TAPS[index])(x))
        maps.append(x)
        for index, layer in enumerate(self.extras):
            x = F.relu(layer(x))
            if index % 2:
                maps.append(x)
        offsets, scores = [], []
        for index, found in enumerate(maps):
            score = self.conf[index](found)
            if index == 0:  # three guesses at background; the strongest counts
                score = torch.cat([score[:, :3].amax(1, keepdim=True), score[:, 3:]], 1)
            offsets.append(self.loc[index](found).permute(0, 2, 3, 1).flatten(1))
            scores.append(score.permute(0, 2, 3, 1).flatten(1))
        anchors = torch.cat([_anchors(i, (m.shape[2], m.shape[3]), size) for i, m in enumerate(maps)]).to(x)
        loc = torch.cat(offsets, 1).unflatten(1, (-1, 4))
        conf = torch.cat(scores, 1).unflatten(1, (-1, 2)).softmax(-1)
        return loc, conf, anchors


def _anchors(index: int, cells: tuple[int, int], size: tuple[int, int]) -> Tensor:
    y, x = torch.meshgrid(torch.arange(cells[0]) + 0.5, torch.arange(cells[1]) + 0.5, indexing="ij")
    height, width = size
    sides = torch.full_like(x, float(_ANCHORS[index]))
    stride = _STRIDES[index]
    return torch.stack([x * stride / width, y * stride / height, sides / width, sides / height], -1).flatten(0, 1)


def decode(loc: Tensor, anchors: Tensor) -> Tensor:
    """Offsets and anchors, (P, 4) each -> corners left, top, right, bottom in units of the picture."""
    centre = anchors[:, :2] + loc[:, :2] * _VARIANCES[0] * anchors[:, 2:]
    size = anchors[:, 2:] * torch.exp(loc[:, 2:] * _VARIANCES[1])
    return torch.cat([centre - size / 2, centre + size / 2], 1)
