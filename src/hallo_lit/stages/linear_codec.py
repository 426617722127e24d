"""Codecs with a linear part that can be set in closed form are set before their first step."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hallo_lit.data.clips import ClipIndices
from hallo_lit.data.dataset import ClipDataset
from hallo_lit.data.frames import reader
from hallo_lit.data.masks import region_masks
from hallo_lit.stages.say import say

CLIPS, FRAMES = 128, 4  # pictures to look at


@runtime_checkable
class Fitting(Protocol):
    """A codec that learns its linear part from pictures at once."""

    factor: int

    def fit(self, images: Tensor, importance: Tensor | None = None) -> None:
        """images (n, 3, H, W) in [-1, 1]; importance (n, 1, h, w) of the places of the latents."""


def fit_linear(codec: nn.Module, data: ClipDataset, lip_weight: float = 1.0) -> bool:
    """Whether the codec has such a part and `data` the pictures for it; the same on every rank."""
    if not isinstance(codec, Fitting) or data.source == "latents":
        return False
    images, lips = _pictures(data)
    size = (images.shape[-2] // codec.factor, images.shape[-1] // codec.factor)
    importance = 1 + (lip_weight - 1) * F.interpolate(lips, size, mode="bilinear", antialias=True)
    device = next(codec.parameters()).device
    codec.fit(images.to(device), importance.to(device))
    say(f"the linear part of the codec is fitted to {len(images)} pictures")
    return True


def _pictures(data: ClipDataset) -> tuple[Tensor, Tensor]:
    """Evenly spaced frames of the first clips (n, 3, H, W), and their lip masks (n, 1, H', W')."""
    read, generator = reader(data.source, data.size), torch.Generator()
    frames: list[Tensor] = []
    lips: list[Tensor] = []
    for row in list(dict.fromkeys(int(row) for row in data.rows))[:CLIPS]:
        clip = data.store[row]
        masks = region_masks(clip, ClipIndices(range(1), (), 0), data.spec.masks)
        for index in torch.linspace(0, clip.row.frames - 1, FRAMES).round().int().tolist():
            frames.append(read(clip, index, index + 1, generator)[0])
            lips.append(masks.flatten(0, -4)[0] if masks.ndim > 3 else masks)
    return torch.stack(frames), torch.stack(lips)[:, -1:]
