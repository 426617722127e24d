"""Resize filters and value ranges in front of the scoring networks: each preset is another metric, never mix them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

Resize = Callable[[Tensor, int], Tensor]


def _bilinear(images: Tensor, size: tuple[int, int], antialias: bool = False) -> Tensor:
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=antialias)


def _bicubic(images: Tensor, side: int) -> Tensor:
    """Pillow's antialiased bicubic filter in float, channel by channel, clipped to 0..255."""
    planes = images.flatten(0, 1).cpu().numpy().astype(np.float32)
    filtered = [np.asarray(Image.fromarray(plane).resize((side, side), Image.Resampling.BICUBIC)) for plane in planes]
    return torch.from_numpy(np.stack(filtered)).clamp(0, 255).unflatten(0, images.shape[:2]).to(images.device)


def pytorch_fid(images: Tensor, side: int) -> Tensor:
    """Bilinear without antialias on 0..1, then [-1, 1]: the preset the paper's group names."""
    return 2 * _bilinear(images / 255, (side, side)) - 1


def torch_fidelity(images: Tensor, side: int) -> Tensor:
    """Bilinear on TensorFlow 1's grid, whose origin is the corner, then (x - 128) / 128."""
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    return (interpolate_bilinear_2d_like_tensorflow1x(images, size=(side, side), align_corners=False) - 128) / 128


def torchmetrics(images: Tensor, side: int) -> Tensor:
    """Antialiased bilinear, then (x - 128) / 128: the default of torchmetrics."""
    return (_bilinear(images, (side, side), antialias=True) - 128) / 128


def clean(images: Tensor, side: int) -> Tensor:
    """Pillow's bicubic, then (x - 128) / 128: clean-fid."""
    return (_bicubic(images, side) - 128) / 128


def stretch(images: Tensor, side: int) -> Tensor:
    """Bilinear without antialias, whatever the shape, then 2 x / 255 - 1: the common FVD preset."""
    return 2 * _bilinear(images, (side, side)) / 255 - 1


def centre_crop(images: Tensor, side: int) -> Tensor:
    """Short side to `side`, the other one rounded up, bilinear without antialias; then the middle square in [-1, 1]."""
    height, width = images.shape[-2:]
    scale = side / min(height, width)
    size = (side, math.ceil(width * scale)) if height < width else (math.ceil(height * scale), side)
    resized = _bilinear(images / 255, size)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    return (resized[..., top : top + side, left : left + side] - 0.5) * 2


def disco(images: Tensor, side: int) -> Tensor:
    """Pillow's bicubic, whatever the shape, then x / 127.5 - 1: DisCo's script."""
    return _bicubic(images, side) / 127.5 - 1


FID: dict[str, Resize] = {
    "pytorch_fid": pytorch_fid,
    "torch_fidelity": torch_fidelity,
    "torchmetrics": torchmetrics,
    "clean": clean,
}
FVD: dict[str, Resize] = {"standard": stretch, "centre_crop": centre_crop, "disco": disco}


def to_tensor(frames: np.ndarray, device: torch.device) -> Tensor:
    """(n, H, W, 3) uint8 -> (n, 3, H, W) float32 in 0..255, not yet resized."""
    return torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2).float()
