"""A square around the face for the model, and the animated square back into the photo."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hallo_lit.faces.regions import FACE_OVAL, Landmarks, bounds

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels, end exclusive; may reach outside the picture

FACE_SHARE = 0.62  # of the crop's side, hairline to chin
TIGHTEST = 0.75  # share up to which a crop is shrunk to fit into the photo; beyond it, it reaches outside
HEADROOM = 0.04  # of the side by which the crop is raised: hair needs more room than the neck


def square_crop(landmarks: Landmarks, image_size: tuple[int, int], expand: float = 1.0) -> Box:
    """The square in which the face takes 62 % of the side (less for expand > 1), inside the photo if it can be.

    image_size = (height, width). A square that sticks out is moved, one that is too large is shrunk until the face
    takes 75 %; what still reaches outside is left to `crop`, which replicates the border.
    """
    height, width = image_size
    left, top, right, bottom = bounds(landmarks, FACE_OVAL)
    face = max(right - left, bottom - top)
    side = face / FACE_SHARE * expand
    side = round(max(min(side, height, width), min(side, face / TIGHTEST)))

    def start(middle: float, limit: int) -> int:
        first = round(middle - side / 2)
        return min(max(first, 0), limit - side) if side <= limit else round((limit - side) / 2)

    x = start((left + right) / 2, width)
    y = start((top + bottom) / 2 - HEADROOM * side, height)
    return x, y, x + side, y + side


def crop(image: Pixels, box: tuple[float, float, float, float], size: tuple[int, int]) -> Pixels:
    """The box of an (H, W, 3) picture, resized to (height, width); outside of the picture its border is replicated.

    Raises ValueError for an empty box or one that misses the picture.
    """
    left, top, right, bottom = (round(edge) for edge in box)
    height, width = image.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x0 >= x1 or y0 >= y1:
        raise ValueError(f"the box {box} does not overlap the {width} x {height} picture")
    part = image[y0:y1, x0:x1]
    margins = (y0 - top, bottom - y1, x0 - left, right - x1)
    if any(margins):
        part = np.asarray(cv2.copyMakeBorder(part, *margins, cv2.BORDER_REPLICATE), np.uint8)
    return _resized(part, size)


class Window:
    """The part of a box that lies inside a photo, and how it fades into it.

    Towards each edge of the box that lies inside the photo, `weight` falls from 1 to 0 over `feather` of the box's
    shorter side. place: of the part in the photo, part: of it in the box, both (rows, columns).
    """

    def __init__(self, box: Box, photo_size: tuple[int, int], feather: float) -> None:
        """
        Raises:
            ValueError: the box misses the photo.
        """
        left, top, right, bottom = box
        height, width = photo_size
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        if x0 >= x1 or y0 >= y1:
            raise ValueError(f"the box {box} does not overlap the {width} x {height} photo")
        self.size = (bottom - top, right - left)
        self.place = (slice(y0, y1), slice(x0, x1))
        self.part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        reach = feather * min(self.size)
        down = _ramp(self.size[0], reach, fade=(top > 0, bottom < height))[self.part[0]]
        across = _ramp(self.size[1], reach, fade=(left > 0, right < width))[self.part[1]]
        self.weight = np.ascontiguousarray(np.outer(down, across), np.float32)


class Paster:
    """Puts frames of a crop back into its photo; masks and weights are made once, frames cost one resize and one blend.

    Towards each edge of the box that lies inside the photo the frame fades into it over `feather` of the box's side.
    """

    def __init__(self, photo: Pixels, box: Box, feather: float = 0.08) -> None:
        """
        Raises:
            ValueError: the box misses the photo.
        """
        self.photo, window = photo, Window(box, (photo.shape[0], photo.shape[1]), feather)
        self.size, self.place, self.part, self.weight = window.size, window.place, window.part, window.weight
        self.remainder = 1 - self.weight
        self.behind = np.ascontiguousarray(photo[self.place])

    def __call__(self, frame: Pixels) -> Pixels:
        """(h, w, 3) uint8 of the crop -> (H, W, 3) of the photo."""
        whole = self.photo.copy()
        part = np.ascontiguousarray(_resized(frame, self.size)[self.part])
        whole[self.place] = cv2.blendLinear(part, self.behind, self.weight, self.remainder)
        return whole


def paste(frame: Pixels, photo: Pixels, box: Box, feather: float = 0.08) -> Pixels:
    """One frame back into its photo; for many frames keep a `Paster`."""
    return Paster(photo, box, feather)(frame)


def _resized(image: Pixels, size: tuple[int, int]) -> Pixels:
    if image.shape[:2] == size:
        return np.array(image)
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (size[1], size[0]), interpolation=way), np.uint8)


def _ramp(length: int, reach: float, fade: tuple[bool, bool]) -> NDArray[np.float64]:
    """1 in the middle; smoothly to 0 at the ends that fade."""
    at = np.arange(length) + 0.5
    distance = np.full(length, np.inf)
    if fade[0]:
        distance = np.minimum(distance, at)
    if fade[1]:
        distance = np.minimum(distance, length - at)
    rise = np.clip(distance / max(reach, 1e-6), 0, 1)
    return np.asarray(rise * rise * (3 - 2 * rise))
