"""From a photo to what the model is told about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hallo_lit.components.face_encoder.base import FaceEncoder
from hallo_lit.faces.crop import crop as cut
from hallo_lit.faces.crop import square_crop
from hallo_lit.faces.landmarks import FaceLandmarks, require_face
from hallo_lit.faces.regions import RegionMasks, region_masks, released_masks
from hallo_lit.media.image import Pixels, read_image, resize, to_tensor
from hallo_lit.structs import Portrait

LONGEST_SIDE = 4096  # of the video; H.264 players take no more

Crop = Literal["face", "none"]


@dataclass(frozen=True)
class Photo:
    """A photo as the video will show it, and its analysed crop."""

    pixels: Pixels  # (H, W, 3) uint8
    portrait: Portrait
    landmarks: NDArray[np.float64]  # (478, 3) of its face, in pixels


class PortraitReader:
    """Reads photos for a model of one picture size (height, width), whose sides must be multiples of `multiple`."""

    def __init__(
        self,
        face_encoder: FaceEncoder,
        size: tuple[int, int],
        multiple: int,
        landmarks: Callable[[], FaceLandmarks],
        released: bool = False,
        margin: float = 1.0,
    ) -> None:
        """landmarks opens a detector; `released` makes the original's masks; `margin` scales the crop around a face."""
        self.face_encoder, self.size, self.multiple = face_encoder, size, multiple
        self.landmarks, self.masks, self.margin = landmarks, released_masks if released else region_masks, margin

    def __call__(self, path: Path, crop: Crop = "face", face: int | None = None, face_ratio: float = 1.2) -> Photo:
        """
        Raises:
            UserError: the file is no usable picture, or shows no usable face.
        """
        photo = _within(read_image(path), LONGEST_SIDE)
        with self.landmarks() as detector:
            points = require_face(detector.detect(photo), path, face)
        height, width = photo.shape[:2]
        if crop == "face":
            size, box = self.size, self._around(points, (height, width))
        else:
            size, box = self._like(height, width), (0, 0, width, height)
        picture = cut(photo, box, size)
        scale = np.array([size[1] / (box[2] - box[0]), size[0] / (box[3] - box[1])])
        masks = self.masks((points[:, :2] - box[:2]) * scale, size, face_ratio)
        return Photo(photo, self._portrait(picture, masks, self.face_encoder(photo, points), box), points)

    def _portrait(
        self, picture: Pixels, masks: RegionMasks, identity: torch.Tensor, box: tuple[int, int, int, int]
    ) -> Portrait:
        def grey(mask: NDArray[np.uint8]) -> torch.Tensor:
            return torch.from_numpy(mask).float() / 255

        return Portrait(to_tensor(picture), grey(masks.regions), grey(masks.locator)[None], identity, box)

    def _around(self, points: NDArray[np.float64], size: tuple[int, int]) -> tuple[int, int, int, int]:
        """A box around the face with the model's aspect."""
        left, top, right, bottom = square_crop(points, size, self.margin)
        height, width = self.size
        side = right - left
        more_x = round(side * max(width / height - 1, 0) / 2)
        more_y = round(side * max(height / width - 1, 0) / 2)
        return left - more_x, top - more_y, right + more_x, bottom + more_y

    def _like(self, height: int, width: int) -> tuple[int, int]:
        """As many pixels as the model's size, in the photo's aspect, as multiples of `multiple`."""
        scale = (self.size[0] * self.size[1] / (height * width)) ** 0.5
        sides = (max(self.multiple, round(side * scale / self.multiple) * self.multiple) for side in (height, width))
        return next(sides), next(sides)


def _within(photo: Pixels, longest: int) -> Pixels:
    height, width = photo.shape[:2]
    scale = longest / max(height, width)
    return photo if scale >= 1 else resize(photo, (max(1, round(height * scale)), max(1, round(width * scale))))
