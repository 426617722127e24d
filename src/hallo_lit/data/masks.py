"""Region masks and locator of a sample, from what the store has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from hallo_lit.data.clips import ClipIndices
from hallo_lit.data.store_reader import StoredClip
from hallo_lit.errors import UserError
from hallo_lit.structs import REGIONS

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


def region_masks(clip: StoredClip, indices: ClipIndices, masks: str) -> Tensor:
    """(r, h, w), or (f, r, h, w) for `frames`, in [0, 1].

    `union` covers all frames of the stored clip (the original's training); `portrait` is made from the reference frame
    alone, as at inference; `frames` follows every frame of the sample; `none` (stage 1) is ones, (r, 1, 1).
    """
    if masks == "none":
        return torch.ones(len(REGIONS), 1, 1)
    if masks == "union":
        return torch.from_numpy(clip.read("regions")).float().div_(255.0)
    from hallo_lit.faces.regions import region_masks as draw

    def at(frame: int) -> np.ndarray:
        return draw(clip.read("landmarks", frame, frame + 1)[0].astype(np.float64), clip.row.size).regions

    drawn = at(indices.reference) if masks == "portrait" else np.stack([at(frame) for frame in indices.frames])
    return torch.from_numpy(drawn).float().div_(255.0)


def locator(clip: StoredClip, size: tuple[int, int]) -> Tensor:
    """(1, H, W) of `size`, 1 inside the face box of the clip."""
    height, width = clip.row.size
    left, top, right, bottom = clip.read("locator").tolist()
    rows, columns = size[0] / height, size[1] / width
    mask = torch.zeros(1, *size)
    mask[:, round(top * rows) : round(bottom * rows), round(left * columns) : round(right * columns)] = 1.0
    return mask
