"""The Inception-v3 of 2015-12-05 that FID is defined on; torchvision's ImageNet Inception is another network."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

TAPS = (64, 192, 768, 2048)


class FidInception(nn.Module):
    """Pool features of already resized pictures; parameter names are those of `pt_inception-2015-12-05-6726825d.pth`.

    The blocks are torch-fidelity's, whose average pools leave the padding out as TensorFlow's do; its own class reads
    weights with pickle, so it is not used.
    """

    SIDE = 299

    def __init__(self) -> None:
        from torch_fidelity import feature_extractor_inceptionv3 as blocks

        super().__init__()
        conv = blocks.BasicConv2d
        self.Conv2d_1a_3x3 = conv(3, 32, kernel_size=3, stride=2)
        self.Conv2d_2a_3x3 = conv(32, 32, kernel_size=3)
        self.Conv2d_2b_3x3 = conv(32, 64, kernel_size=3, padding=1)
        self.Conv2d_3b_1x1 = conv(64, 80, kernel_size=1)
        self.Conv2d_4a_3x3 = conv(80, 192, kernel_size=3)
        self.Mixed_5b = blocks.InceptionA(192, pool_features=32)
        self.Mixed_5c = blocks.InceptionA(256, pool_features=64)
        self.Mixed_5d = blocks.InceptionA(288, pool_features=64)
        self.Mixed_6a = blocks.InceptionB(288)
        self.Mixed_6b = blocks.InceptionC(768, channels_7x7=128)
        self.Mixed_6c = blocks.InceptionC(768, channels_7x7=160)
        self.Mixed_6d = blocks.InceptionC(768, channels_7x7=160)
        self.Mixed_6e = blocks.InceptionC(768, channels_7x7=192)
        self.Mixed_7a = blocks.InceptionD(768)
        self.Mixed_7b = blocks.InceptionE_1(1280)
        self.Mixed_7c = blocks.InceptionE_2(2048)
        self.fc = nn.Linear(2048, 1008)  # part of the file, of no use to FID

    def taps(self, x: Tensor) -> dict[int, Tensor]:
        """Averages over the picture after 64, 192, 768 and 2048 channels, each (n, channels).

        Args:
            x: (n, 3, 299, 299) RGB in [-1, 1].
        """
        found = {}
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = F.max_pool2d(x, 3, 2)
        found[64] = x.mean((2, 3))
        x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        found[192] = x.mean((2, 3))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        found[768] = x.mean((2, 3))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        found[2048] = x.mean((2, 3))
        return found

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, 299, 299) in [-1, 1] -> (n, 2048)."""
        return self.taps(x)[2048]
