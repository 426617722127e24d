"""Lip, face and pose in pictures of a face: how much they differ there."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hallo_lit.animation.portrait import Photo
from hallo_lit.structs import REGIONS

TITLES = {"pose": "pose", "face": "expression", "lip": "lip"}  # as figures call them
Faces = NDArray[np.uint8]  # (F, h, w, 3)


def region_masks(photo: Photo, size: tuple[int, int]) -> dict[str, NDArray[np.float64]]:
    """(h, w) in [0, 1] by region."""
    masks = photo.portrait.regions.double().numpy()
    return {
        name: np.asarray(cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_LINEAR))
        for name, mask in zip(REGIONS, masks, strict=True)
    }


def difference(a: Faces, b: Faces, mask: NDArray[np.float64] | None = None) -> float:
    """Mean absolute difference in grey levels, over the frames that both have and the places of the mask."""
    count = min(len(a), len(b))
    apart = np.abs(a[:count].astype(np.float32) - b[:count]).mean((0, 3))
    return float(apart.mean() if mask is None else np.average(apart, weights=mask + 1e-9))


def liveliness(faces: Faces, mask: NDArray[np.float64] | None = None) -> float:
    """Mean absolute difference in grey levels between frames that follow each other."""
    return difference(faces[1:], faces[:-1], mask) if len(faces) > 1 else 0.0


def most_changed(faces: Faces, mask: NDArray[np.float64]) -> int:
    """The frame whose masked places differ most from the first frame: usually a wide open mouth."""
    apart = np.abs(faces.astype(np.float32) - faces[:1]).mean(3)
    return int((apart * mask).sum((1, 2)).argmax())
