"""Following faces from look to look; a look is one in `every` frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np

from hallo_lit.data.preprocess.settings import FPS, Tracking

Box = tuple[float, float, float, float]  # left, top, right, bottom; pixels of the source


class Eyes(Protocol):
    """What finds faces in a picture (H, W, 3) uint8 RGB; results in its pixels."""

    def find(self, image: np.ndarray) -> list[np.ndarray]:
        """Landmarks (478, 2 or 3) of each face that is not small."""

    def suspect(self, image: np.ndarray) -> list[Box]:
        """Where small faces may be."""


_SAME = 0.3  # intersection over union that makes two boxes one face
_NEIGHBOURHOOD = 2.4  # side of the picture searched around a known face, over the height of the face
_NEAR_SIDE = 256  # pixels that picture is brought to


def box_of(landmarks: np.ndarray) -> Box:
    """Around all landmarks of one face."""
    (left, top), (right, bottom) = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    return float(left), float(top), float(right), float(bottom)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - wide * high
    return wide * high / union


def outside(box: Box, size: tuple[int, int]) -> float:
    """Share of the box that lies outside a picture of size (height, width)."""
    wide = min(box[2], size[1]) - max(box[0], 0.0)
    high = min(box[3], size[0]) - max(box[1], 0.0)
    area = (box[2] - box[0]) * (box[3] - box[1])
    return 1.0 - max(wide, 0.0) * max(high, 0.0) / area if area > 0 else 1.0


@dataclass
class Track:
    """One face, as long as it is in sight; it may run on over a cut."""

    frames: list[int] = field(default_factory=list)  # of the looks at which it was seen
    boxes: list[Box] = field(default_factory=list)

    def height(self) -> float:
        return float(np.median([box[3] - box[1] for box in self.boxes]))


class Tracker:
    """Feed it every look of one source; `tracks` grows."""

    def __init__(self, settings: Tracking, eyes: Eyes) -> None:
        self.settings, self.eyes = settings, eyes
        self.tracks: list[Track] = []
        self._live: list[Track] = []
        self._in_vain = 0  # looks at pictures without any face

    def look(self, frame: int, image: np.ndarray) -> list[Box]:
        """The faces of one frame (H, W, 3) uint8 RGB, found around where they were and in the whole picture."""
        gap = self.settings.max_gap * FPS
        self._live = [track for track in self._live if frame - track.frames[-1] <= gap]
        seen: list[Box] = []
        for track in self._live:
            near = [box for box in self._near(image, track.boxes[-1]) if overlap(box, track.boxes[-1]) > 0.05]
            seen += near[:1] if near else []
        seen = _distinct(seen + self._anywhere(image, bool(seen)), self.settings.max_faces)
        seen = [box for box in seen if outside(box, (image.shape[0], image.shape[1])) <= self.settings.outside]
        self._assign(frame, seen)
        return seen

    def _assign(self, frame: int, boxes: list[Box]) -> None:
        pairs = [(overlap(t.boxes[-1], box), i, j) for i, t in enumerate(self._live) for j, box in enumerate(boxes)]
        taken_tracks, taken_boxes = set(), set()
        for same, i, j in sorted(pairs, reverse=True):
            if same > _SAME / 2 and i not in taken_tracks and j not in taken_boxes:
                self._live[i].frames.append(frame)
                self._live[i].boxes.append(boxes[j])
                taken_tracks.add(i)
                taken_boxes.add(j)
        for j, box in enumerate(boxes):
            if j not in taken_boxes:
                track = Track([frame], [box])
                self.tracks.append(track)
                self._live.append(track)

    def _near(self, image: np.ndarray, box: Box) -> list[Box]:
        """Faces in a square around a known one, nearest to its centre first."""
        side = max(box[3] - box[1], box[2] - box[0]) * _NEIGHBOURHOOD
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        found = self._inside(image, (x - side / 2, y - side / 2, x + side / 2, y + side / 2), _NEAR_SIDE)
        return sorted(found, key=lambda b: abs((b[0] + b[2]) / 2 - x) + abs((b[1] + b[3]) / 2 - y))

    def _anywhere(self, image: np.ndarray, known: bool) -> list[Box]:
        """Faces in the whole picture; without any, around places that may hold small ones."""
        whole = (0.0, 0.0, float(image.shape[1]), float(image.shape[0]))
        found = self._inside(image, whole, self.settings.side)
        if found or known:
            return found
        near = (self._near(image, box) for box in self._suspects(image)[: self.settings.max_faces])
        return [boxes[0] for boxes in near if boxes]

    def _suspects(self, image: np.ndarray) -> list[Box]:
        """In the whole picture; without any, once a second, in its parts."""
        found = self.eyes.suspect(image)
        self._in_vain = 0 if found else self._in_vain + 1
        if found or (self._in_vain - 1) * self.settings.every % FPS >= self.settings.every:
            return found
        for left, top, right, bottom in _tiles(image.shape[0], image.shape[1]):
            boxes = self.eyes.suspect(np.ascontiguousarray(image[top:bottom, left:right]))
            found += [(b[0] + left, b[1] + top, b[2] + left, b[3] + top) for b in boxes]
        return _distinct(found, self.settings.max_faces)

    def _inside(self, image: np.ndarray, window: Box, longer: int) -> list[Box]:
        left, top = max(0, int(window[0])), max(0, int(window[1]))
        piece = image[top : max(top + 2, int(window[3])), left : max(left + 2, int(window[2]))]
        if min(piece.shape[:2]) < 16:
            return []
        scale = longer / max(piece.shape[:2])
        size = (max(1, round(piece.shape[1] * scale)), max(1, round(piece.shape[0] * scale)))
        small = cv2.resize(piece, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        boxes = (box_of(face) for face in self.eyes.find(np.ascontiguousarray(small)))
        sx, sy = piece.shape[1] / size[0], piece.shape[0] / size[1]
        return [(b[0] * sx + left, b[1] * sy + top, b[2] * sx + left, b[3] * sy + top) for b in boxes]


def _tiles(height: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Overlapping squares, a little more than half as high as the picture."""
    side = round(0.6 * min(height, width))
    for top in np.linspace(0, height - side, max(2, -(-height * 3 // (2 * side))), dtype=int):
        for left in np.linspace(0, width - side, max(2, -(-width * 3 // (2 * side))), dtype=int):
            yield int(left), int(top), int(left) + side, int(top) + side


def _distinct(boxes: list[Box], most: int) -> list[Box]:
    """Without repetitions (the first of several stays), the largest few."""
    kept: list[Box] = []
    for box in boxes:
        if all(overlap(box, other) < _SAME for other in kept):
            kept.append(box)
    return sorted(kept, key=lambda b: (b[2] - b[0]) * (b[3] - b[1]), reverse=True)[:most]
