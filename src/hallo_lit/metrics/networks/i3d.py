"""I3D on RGB, trained on Kinetics-400: its time-averaged logits are what FVD measures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Triple = tuple[int, int, int]
SHORTEST = 9  # frames; fewer leave nothing for the last pool

_MIXED = {
    "3b": (192, (64, 96, 128, 16, 32, 32)),
    "3c": (256, (128, 128, 192, 32, 96, 64)),
    "4b": (480, (192, 96, 208, 16, 48, 64)),
    "4c": (512, (160, 112, 224, 24, 64, 64)),
    "4d": (512, (128, 128, 256, 24, 64, 64)),
    "4e": (512, (112, 144, 288, 32, 64, 64)),
    "4f": (528, (256, 160, 320, 32, 128, 128)),
    "5b": (832, (256, 160, 320, 32, 128, 128)),
    "5c": (832, (384, 192, 384, 48, 128, 128)),
}


def pad_same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Zero padding as TensorFlow's SAME: the output has ceil(size / stride) entries, the odd one goes to the end."""
    pads: list[int] = []
    for size, k, s in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        total = max(k - (size % s or s), 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


class Unit(nn.Module):
    """Convolution with SAME padding, then BatchNorm and ReLU; the last one of the network has a bias instead."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Triple = (1, 1, 1),
        stride: Triple = (1, 1, 1),
        eps: float | None = 1e-5,
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, bias=eps is None)
        self.bn = None if eps is None else nn.BatchNorm3d(outputs, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3d(pad_same(x, self.kernel, self.stride))
        return x if self.bn is None else F.relu(self.bn(x), inplace=True)


class Mixed(nn.Module):
    """Four branches side by side on the channel axis."""

    def __init__(self, inputs: int, widths: tuple[int, ...], eps: float) -> None:
        super().__init__()
        a0, a1, a2, a3, a4, a5 = widths
        self.b0 = Unit(inputs, a0, eps=eps)
        self.b1a, self.b1b = Unit(inputs, a1, eps=eps), Unit(a1, a2, (3, 3, 3), eps=eps)
        self.b2a, self.b2b = Unit(inputs, a3, eps=eps), Unit(a3, a4, (3, 3, 3), eps=eps)
        self.b3b = Unit(inputs, a5, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        pooled = max_pool(x, (3, 3, 3), (1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], 1)


def max_pool(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    return F.max_pool3d(pad_same(x, kernel, stride), kernel, stride)


class I3D(nn.Module):
    """Parameter names are those of `i3d_pretrained_400.pt`.

    Args:
        eps: of the BatchNorms; 1e-5 in most programs that load this file, 1e-3 in DisCo's.
        pool_frames: of the last average pool; 2 as in TensorFlow, 1 as in DisCo's (they differ above 16 frames).
    """

    SIDE = 224
    WIDTH = 400

    def __init__(self, eps: float = 1e-5, pool_frames: int = 2) -> None:
        super().__init__()
        self.pool_frames = pool_frames
        self.Conv3d_1a_7x7 = Unit(3, 64, (7, 7, 7), (2, 2, 2), eps)
        self.Conv3d_2b_1x1 = Unit(64, 64, eps=eps)
        self.Conv3d_2c_3x3 = Unit(64, 192, (3, 3, 3), eps=eps)
        for name, (inputs, widths) in _MIXED.items():
            self.add_module(f"Mixed_{name}", Mixed(inputs, widths, eps))
        self.logits = Unit(1024, self.WIDTH, eps=None)

    def to_3b(self, x: Tensor) -> Tensor:
        """The activation after the first mixed block, (n, 256, ceil(T / 2), 28, 28)."""
        x = max_pool(self.Conv3d_1a_7x7(x), (1, 3, 3), (1, 2, 2))
        x = max_pool(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x)), (1, 3, 3), (1, 2, 2))
        return self.get_submodule("Mixed_3b")(x)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, T >= 9, 224, 224) RGB in [-1, 1] -> (n, 400) logits averaged over time."""
        x = self.get_submodule("Mixed_3c")(self.to_3b(x))
        x = max_pool(x, (3, 3, 3), (2, 2, 2))
        for name in ("4b", "4c", "4d", "4e", "4f"):
            x = self.get_submodule(f"Mixed_{name}")(x)
        x = max_pool(x, (2, 2, 2), (2, 2, 2))
        for name in ("5b", "5c"):
            x = self.get_submodule(f"Mixed_{name}")(x)
        x = F.avg_pool3d(x, (self.pool_frames, 7, 7), stride=1)
        return self.logits(x).mean((2, 3, 4))
