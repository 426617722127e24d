"""Pictures that show how training goes: strips, grids, masks over a portrait."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from hallo_lit.media.image import Pixels, to_pixels
from hallo_lit.structs import MaskPyramid

TINTS = ((255, 200, 0), (0, 160, 255), (255, 40, 80))  # pose, face, lip


def grid(rows: Sequence[Sequence[Pixels]], gap: int = 2) -> Pixels:
    """Pictures of one size in rows, a grey line between them."""
    height, width = rows[0][0].shape[:2]
    columns = max(map(len, rows))
    made = np.full((len(rows) * (height + gap) - gap, columns * (width + gap) - gap, 3), 128, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            made[i * (height + gap) :, j * (width + gap) :][:height, :width] = picture
    return made


def strip(*videos: Sequence[Pixels], columns: int = 8) -> Pixels:
    """Evenly spaced frames of videos of one length, one below the other."""
    count = len(videos[0])
    chosen = np.linspace(0, count - 1, min(columns, count)).round().astype(int)
    return grid([[video[i] for i in chosen] for video in videos])


def masks_over(portrait: Tensor, regions: Tensor, size: tuple[int, int], depth: int) -> Pixels:
    """Region masks as every level of the UNet sees them, over the portrait: rows are levels, columns regions.

    portrait (3, H, W) in [-1, 1]; regions (r, h, w); size and depth are those of `MaskPyramid.from_masks`.
    """
    photo = to_pixels(portrait)
    pyramid = MaskPyramid.from_masks(regions[None], size, depth)
    rows = []
    for level in range(depth):
        small = pyramid.levels[level][0, 0].unflatten(-1, (size[0] >> level, size[1] >> level))
        large = F.interpolate(small[None], photo.shape[:2], mode="nearest")[0].cpu().numpy()
        rows.append([_tinted(photo, mask, tint) for mask, tint in zip(large, TINTS, strict=True)])
    return grid(rows)


def _tinted(photo: Pixels, mask: np.ndarray, tint: tuple[int, int, int]) -> Pixels:
    share = 0.7 * mask[..., None]
    return (photo * (0.6 * (1 - share)) + np.array(tint) * share).round().clip(0, 255).astype(np.uint8)
