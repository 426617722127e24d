"""The face reconstruction network of Deep3DFaceRecon (Deng et al. 2019), of which E-FID takes the expression codes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_HEADS = (80, 64, 80, 3, 27, 2, 1)  # identity, expression, texture, angle, light, shift in x and y, shift in z
EXPRESSION = slice(80, 144)
WIDTH = 64


class ReconNet(nn.Module):
    """ResNet-50 with seven linear heads; parameter names are those of `net_recon` in `epoch_20.pth`."""

    def __init__(self) -> None:
        from torchvision.models import resnet50

        super().__init__()
        self.backbone = resnet50(weights=None)
        self.backbone.fc = nn.Identity()
        self.final_layers = nn.ModuleList(nn.Conv2d(2048, width, 1) for width in _HEADS)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, 224, 224) RGB in [0, 1], aligned by five points -> (n, 257) coefficients."""
        features = self.backbone(x)[:, :, None, None]
        return torch.cat([head(features) for head in self.final_layers], 1).flatten(1)

    def expression(self, x: Tensor) -> Tensor:
        """(n, 3, 224, 224) -> (n, 64)."""
        return self.forward(x)[:, EXPRESSION]
