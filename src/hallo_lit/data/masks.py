"""Region masks and locator of a sample, from what the store has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hallo_lit.data.augmentation import Change
from hallo_lit.data.clips import ClipIndices
from hallo_lit.data.store_reader import StoredClip
from hallo_lit.errors import UserError
from hallo_lit.structs import REGIONS

if TYPE_CHECKING:
    from hallo_lit.faces.regions import RegionMasks

NEEDED: Mapping[str, tuple[str, ...]] = {
    "union": ("regions",),
    "frames": ("landmarks",),
    "portrait": ("landmarks",),
    "none": (),
}


def features_for(masks: str) -> tuple[str, ...]:
    """What a store must have for these masks; raises UserError for a name that is none."""
    if masks not in NEEDED:
        raise UserError(f"Masks cannot be {masks!r}; choose one of {', '.join(NEEDED)}.")
    return NEEDED[masks]


def region_masks(clip: StoredClip, indices: ClipIndices, masks: str, change: Change | None = None) -> Tensor:
    """(r, h, w), or (f, r, h, w) for `frames`, in [0, 1].

    `union` covers all frames of the stored clip (the original's training); `portrait` is made from the reference frame
    alone, as at inference; `frames` follows every frame of the sample; `none` (stage 1) is ones, (r, 1, 1). A `change`
    moves the landmarks that `portrait` and `frames` are drawn from.
    """
    if masks == "none":
        return torch.ones(len(REGIONS), 1, 1)
    if masks == "union":
        return torch.from_numpy(clip.read("regions")).float().div_(255.0)
    if masks == "portrait":
        drawn = _draw(clip, indices.reference, change).regions
    else:
        drawn = np.stack([_draw(clip, frame, change).regions for frame in indices.frames])
    return torch.from_numpy(drawn).float().div_(255.0)


def locator(clip: StoredClip, size: tuple[int, int], change: Change | None = None, frame: int = 0) -> Tensor:
    """(1, H, W) of `size`, 1 inside the face box of the clip; under a change inside that of one frame."""
    if change is not None:
        mask = torch.from_numpy(_draw(clip, frame, change).locator)[None, None].float() / 255.0
        return F.interpolate(mask, size, mode="nearest-exact")[0]
    height, width = clip.row.size
    left, top, right, bottom = clip.read("locator").tolist()
    rows, columns = size[0] / height, size[1] / width
    mask = torch.zeros(1, *size)
    mask[:, round(top * rows) : round(bottom * rows), round(left * columns) : round(right * columns)] = 1.0
    return mask


def _draw(clip: StoredClip, frame: int, change: Change | None) -> RegionMasks:
    from hallo_lit.faces.regions import region_masks as draw

    points = clip.read("landmarks", frame, frame + 1)[0].astype(np.float64)
    return draw(points if change is None else change.points(points, clip.row.size), clip.row.size)
