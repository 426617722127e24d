"""The square that is cut out around a face; it stands still during a clip, so that the background does."""

from __future__ import annotations

import numpy as np

from hallo_lit.data.preprocess.settings import Crop
from hallo_lit.data.preprocess.track import Box, outside

_ROOM = 1.1  # the face with all its travel fills at most 1 / this of the square


def square(boxes: tuple[Box, ...], picture: tuple[int, int], settings: Crop) -> Box:
    """The square around a moving face, inside the picture (height, width) where that is possible.

    The face takes `face_share` of its side, less when it travels farther, more when the picture is too small and the
    face still fits. What then lies outside the picture is to be filled by replication.
    """
    array = np.array(boxes, np.float64)
    low, high = np.percentile(array[:, :2], 2, axis=0), np.percentile(array[:, 2:], 98, axis=0)
    needed = float((high - low).max()) * _ROOM
    side = max(float(np.median(array[:, 3] - array[:, 1])) / settings.face_share, needed)
    side = max(min(side, float(min(picture))), needed)
    x, y = (low + high) / 2
    return fit(x - side / 2, y - settings.headroom * side - side / 2, side, picture)


def square_around(box: Box, picture: tuple[int, int]) -> Box:
    """The square with the centre and the longer side of a given box, moved into the picture as far as it fits."""
    side = max(box[2] - box[0], box[3] - box[1])
    return fit((box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2, side, picture)


def fit(left: float, top: float, side: float, picture: tuple[int, int]) -> Box:
    """A square moved into the picture (height, width), or centred on an axis on which it is too large."""

    def place(start: float, length: int) -> float:
        return (length - side) / 2 if side > length else min(max(start, 0.0), length - side)

    left, top = place(left, picture[1]), place(top, picture[0])
    return left, top, left + side, top + side


def scaled(box: Box, factor: float) -> Box:
    return box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor


def padding(box: Box, picture: tuple[int, int]) -> float:
    """Share of the square that lies outside the picture."""
    return outside(box, picture)
