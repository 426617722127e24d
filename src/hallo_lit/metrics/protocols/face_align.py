"""Deep3DFaceRecon's alignment: five points fix scale and place of a 224-pixel crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE = 224
_SCALE = 102.0

# Eye centres, nose tip and mouth corners of the mean face; "left" is left in the picture, y points up.
REFERENCE = np.array(
    [
        [-0.31148657, 0.29036078, 0.13377953],
        [0.30979887, 0.28972036, 0.13179526],
        [0.0032535, -0.04617932, 0.55244243],
        [-0.25216928, -0.38133916, 0.22405732],
        [0.2484662, -0.38128236, 0.22235769],
    ]
)
_MESH_POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))  # MediaPipe's numbers of the same five


@dataclass(frozen=True)
class Alignment:
    """Weak perspective from picture to crop."""

    width: int
    height: int
    scale: float
    tx: float  # where the face's origin lies in the picture, y up
    ty: float

    @property
    def resized(self) -> tuple[int, int]:
        return int(self.width * self.scale), int(self.height * self.scale)

    @property
    def corner(self) -> tuple[int, int]:
        """Left and top of the crop in the resized picture; may be outside."""
        width, height = self.resized
        left = width / 2 - SIDE / 2 + (self.tx - self.width / 2) * self.scale
        top = height / 2 - SIDE / 2 + (self.height / 2 - self.ty) * self.scale
        return int(left), int(top)

    def crop(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> (224, 224, 3) uint8, black beyond the picture."""
        left, top = self.corner
        resized = Image.fromarray(image).resize(self.resized, Image.Resampling.BICUBIC)
        return np.asarray(resized.crop((left, top, left + SIDE, top + SIDE)))

    def points(self, up: np.ndarray) -> np.ndarray:
        """Points of the picture, y up, in the crop's frame."""
        width, height = self.resized
        moved = (up - [self.tx, self.ty] + [self.width / 2, self.height / 2]) * self.scale
        return moved - [width / 2 - SIDE / 2, height / 2 - SIDE / 2]


def flip(points: np.ndarray, height: int) -> np.ndarray:
    """(5, 2) with y down <-> y up."""
    return np.stack([points[:, 0], height - 1 - points[:, 1]], 1)


def align(points: np.ndarray, size: tuple[int, int], reference: np.ndarray = REFERENCE) -> Alignment:
    """Fits an affine camera to five points by least squares.

    Args:
        points: (5, 2) pixels, y down: left eye, right eye, nose, left and right mouth corner.
        size: height and width of the picture.
    """
    height, width = size
    homogeneous = np.concatenate([reference, np.ones((5, 1))], 1)
    camera, *_ = np.linalg.lstsq(homogeneous, flip(points, height).astype(np.float64), rcond=None)
    size_of_face = np.linalg.norm(camera[:3], axis=0).mean()
    return Alignment(width, height, float(_SCALE / size_of_face), float(camera[3, 0]), float(camera[3, 1]))


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """(478, 2 or 3) face mesh -> (5, 2); the original uses points of another detector, this mapping is ours."""
    return np.stack([landmarks[list(ids), :2].mean(0) for ids in _MESH_POINTS])
