"""Where the lips, the face and the rest of a picture are: geometry of landmarks only, no network.

Masks are soft axis-aligned boxes (paper, section 3.2; the original never fills hulls). `released_masks` and
`union_masks` repeat the original to the bit, overflow included; `region_masks` is ours: it follows height and width
and clips boxes at the edge of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Landmarks = NDArray[np.float64]  # (478, 2 or 3), pixels; x right, y down
Mask = NDArray[np.uint8]

FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375)
_FOREHEAD, _CHIN, _NOSE = 10, 152, 2
_JAW = (58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288)

RELEASED_SIDE = 64  # the original blurs at 64 x 64 whatever the picture
FACE_KERNEL, LIP_KERNEL = 51, 31
FACE_SIGMA, LIP_SIGMA = 8.0 / 64, 5.0 / 64  # what OpenCV derives from those kernels, as a share of the side


@dataclass(frozen=True)
class RegionMasks:
    """`locator` (H, W) is 255 inside the face box; `regions` (3, h, w) are soft, 0..255: pose, face, lip."""

    locator: Mask
    regions: Mask


def bounds(landmarks: Landmarks, subset: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of some landmarks, over all leading axes of (..., 478, 2|3)."""
    points = landmarks[..., list(subset), :2].reshape(-1, 2)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return float(left), float(top), float(right), float(bottom)


def released_box(
    landmarks: Landmarks, subset: tuple[int, ...], size: tuple[int, int], ratio: float
) -> tuple[int, int, int, int]:
    """The original's enlarged box (left, top, right, bottom), negative where it outgrows the picture.

    A box that leaves at one side is shifted back by as much, but the opposite side is not looked at again.
    """
    left, top, right, bottom = (float(np.round(v)) for v in bounds(landmarks, subset))

    def span(low: float, high: float, limit: int) -> tuple[int, int]:
        middle, half = (low + high) // 2, (high - low) * ratio // 2
        low, high = middle - half, middle + half
        if low < 0:
            low, high = 0.0, high - low
        if high > limit:
            low, high = low - (high - limit), float(limit)
        return round(low), round(high)

    (x0, x1), (y0, y1) = span(left, right, size[1]), span(top, bottom, size[0])
    return x0, y0, x1, y1


def released_rectangle(landmarks: Landmarks, subset: tuple[int, ...], size: tuple[int, int], ratio: float) -> Mask:
    """255 inside the box of `released_box`; a negative edge counts from the far side, as slices do in the original."""
    x0, y0, x1, y1 = released_box(landmarks, subset, size, ratio)
    mask = np.zeros(size, np.uint8)
    mask[y0:y1, x0:x1] = 255
    return mask


def released_blur(mask: Mask, kernel: int) -> Mask:
    """64 x 64, Gaussian, stretched to 0..255."""
    small = cv2.resize(mask, (RELEASED_SIDE, RELEASED_SIDE))
    soft = cv2.GaussianBlur(small, (kernel, kernel), 0)
    return np.asarray(cv2.normalize(soft, np.empty(0), 0, 255, cv2.NORM_MINMAX), np.uint8)


def released_masks(
    landmarks: Landmarks, size: tuple[int, int], face_ratio: float = 1.2, lip_ratio: float = 2.0
) -> RegionMasks:
    """Masks of one portrait as the original makes them at inference; size = (height, width); regions (3, 64, 64)."""
    locator = released_rectangle(landmarks, FACE_OVAL, size, face_ratio)
    face = released_blur(locator, FACE_KERNEL)
    lip = released_blur(released_rectangle(landmarks, OUTER_LIPS, size, lip_ratio), LIP_KERNEL)
    pose = ((1.0 - face / 255.0) * 255.0).astype(np.uint8)  # truncates: 50 of 256 values miss 255 - v by one
    return RegionMasks(locator, np.stack([pose, cv2.subtract(face, lip), lip]).astype(np.uint8))


def union_rectangle(landmarks: Landmarks, subset: tuple[int, ...], size: tuple[int, int], ratio: float = 1.0) -> Mask:
    """255 inside the smallest box around the rectangles of all frames of (frames, 478, 2|3)."""
    union = np.maximum.reduce([released_rectangle(frame, subset, size, ratio) for frame in landmarks])
    left, top, width, height = cv2.boundingRect(union)
    union[top : top + height, left : left + width] = 255
    return union


def union_masks(landmarks: Landmarks, size: tuple[int, int], ratio: float = 1.0) -> RegionMasks:
    """Masks of a clip (frames, 478, 2|3) as the original prepares its training data; size = (height, width)."""
    locator = union_rectangle(landmarks, FACE_OVAL, size, ratio)
    face = released_blur(locator, FACE_KERNEL)
    lip = released_blur(union_rectangle(landmarks, OUTER_LIPS, size, ratio), LIP_KERNEL)
    return RegionMasks(locator, np.stack([255 - face, cv2.subtract(face, lip), lip]).astype(np.uint8))


def region_masks(
    landmarks: Landmarks,
    size: tuple[int, int],
    face_ratio: float = 1.2,
    lip_ratio: float = 2.0,
    mask_size: tuple[int, int] | None = None,
) -> RegionMasks:
    """Masks of a portrait (478, 2|3), or of all frames of a clip (frames, 478, 2|3) at once.

    size = (height, width) of the picture; regions are (3, *mask_size), by default an eighth of it, the latent size.
    Pose and face add up to 255 outside the lips. Raises ValueError for landmarks wholly outside the picture.
    """
    height, width = size
    shape = mask_size or (max(1, height // 8), max(1, width // 8))

    def rectangle(subset: tuple[int, ...], ratio: float) -> Mask:
        left, top, right, bottom = bounds(landmarks, subset)
        half_x, half_y = (right - left) * ratio / 2, (bottom - top) * ratio / 2
        middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
        x0, x1 = (int(np.clip(round(middle_x + side), 0, width)) for side in (-half_x, half_x))
        y0, y1 = (int(np.clip(round(middle_y + side), 0, height)) for side in (-half_y, half_y))
        if x0 >= x1 or y0 >= y1:
            raise ValueError(f"the landmarks lie outside the {width} x {height} picture")
        mask = np.zeros(size, np.uint8)
        mask[y0:y1, x0:x1] = 255
        return mask

    def blur(mask: Mask, share: float) -> NDArray[np.float32]:
        small = cv2.resize(mask.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
        radius = share * min(height, width)  # in picture pixels, so that the edge is as soft down as across
        sigma = (max(radius * shape[1] / width, 1e-3), max(radius * shape[0] / height, 1e-3))
        soft = cv2.GaussianBlur(small, (0, 0), sigma[0], sigmaY=sigma[1], borderType=cv2.BORDER_REPLICATE)
        return np.asarray(soft * (255.0 / soft.max()), np.float32)

    locator = rectangle(FACE_OVAL, face_ratio)
    face = np.rint(blur(locator, FACE_SIGMA)).astype(np.uint8)
    lip = np.rint(blur(rectangle(OUTER_LIPS, lip_ratio), LIP_SIGMA)).astype(np.uint8)
    return RegionMasks(locator, np.stack([255 - face, cv2.subtract(face, lip), lip]).astype(np.uint8))


def speech_mask(landmarks: Landmarks, size: tuple[int, int]) -> NDArray[np.float32]:
    """(height, width) of `size`, 1 where talking moves something: from the nose down, jaw and open chin included.

    Soft at its edge, over about a tenth of the face's height. landmarks (478, 2|3) in pixels of that picture.
    """
    points = landmarks[:, :2]
    down = points[_CHIN] - points[_FOREHEAD]  # as long as the face is high
    jaw = points[list(_JAW)]
    beneath = np.clip((jaw - points[_NOSE]) @ down / (down @ down), 0, None)[:, None]  # chins drop, ears do not
    hull = cv2.convexHull(np.vstack([jaw + 0.4 * beneath * down, jaw, points[[_NOSE]]]).astype(np.float32))
    mask = np.zeros(size, np.float32)
    cv2.fillPoly(mask, [np.rint(hull).astype(np.int32)], (1.0,))
    height = float(np.linalg.norm(down))
    reach = max(1, round(0.05 * height))
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), max(0.03 * height, 0.5)), np.float32)
