"""Finding the face of a portrait where one look at the picture is not enough: small, cut off, or drawn faintly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import cv2
import numpy as np

from hallo_lit.faces.crop import Pixels, crop
from hallo_lit.faces.measures import face_box
from hallo_lit.faces.mediapipe_models import MeshModel
from hallo_lit.faces.regions import Landmarks

FACE_SIDE = 512  # of the square cut around one face for a closer look
AROUND = 2.0  # side of that square over that of the face
SMALLEST = 12  # pixels; below, nothing can be told

Box = tuple[float, float, float, float]
Finder = Callable[[Pixels], list[Box]]


def look_closely(
    image: Pixels, box: Box, mesh: MeshModel, around: float = AROUND, change: Callable[[Pixels], Pixels] | None = None
) -> Landmarks | None:
    """Landmarks of the face in a square around the box, which is brought to one size first; None without one."""
    left, top, right, bottom = box
    side = round(max(right - left, bottom - top) * around)
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    height, width = image.shape[:2]
    if side < SMALLEST or x >= width or y >= height or x + side <= 0 or y + side <= 0:
        return None
    view = crop(image, (x, y, x + side, y + side), (FACE_SIDE, FACE_SIDE))
    faces = mesh(view if change is None else change(view))
    return placed(faces[0], (x, y), side / FACE_SIDE) if faces else None


def placed(face: Landmarks, corner: tuple[float, float], scale: float) -> Landmarks:
    """Landmarks of a piece of a picture as landmarks of the picture."""
    return np.asarray(face * scale + (*corner, 0))


def search(image: Pixels, faces: list[Landmarks], mesh: MeshModel, finder: Finder) -> list[Landmarks]:
    """Adds to the faces already found those that a finer detector suspects, looking ever closer until there is one."""
    found = distinct(faces)
    for parts in (1, 2, 4):
        for box in _suspects(image, parts, finder):
            if all(overlap(box, face_box(face)) < 0.2 for face in found):
                face = look_closely(image, box, mesh)
                found = found if face is None else distinct([*found, face])
        if found:
            return found
    height, width = image.shape[:2]
    whole = (0.0, 0.0, float(width), float(height))
    for around, change in ((1.6, None), (1.0, _strengthened), (1.6, _strengthened)):
        face = look_closely(image, whole, mesh, around, change)  # 1.6: a face may be larger than its picture
        again = None if face is None else look_closely(image, face_box(face), mesh, change=change)
        if face is not None and again is not None and overlap(face_box(face), face_box(again)) > 0.7:
            return [again]
    return []


def distinct(faces: list[Landmarks]) -> list[Landmarks]:
    """The faces without those that cover one before them."""
    kept: list[Landmarks] = []
    for face in faces:
        if all(overlap(face_box(face), face_box(other)) < 0.4 for other in kept):
            kept.append(face)
    return kept


def overlap(a: Box, b: Box) -> float:
    """Area of the intersection over that of the union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (sum(areas) - width * height)


def _suspects(image: Pixels, parts: int, finder: Finder) -> Iterator[Box]:
    """What the finder sees in tiles of 1 / parts of the sides that overlap by half, in pixels of the picture."""
    height, width = image.shape[:2]
    tall, wide = -(-height // parts), -(-width // parts)
    if min(tall, wide) < SMALLEST:
        return
    steps = range(2 * parts - 1)
    for row, column in product(steps, steps):
        y, x = min(row * tall // 2, height - tall), min(column * wide // 2, width - wide)
        for left, top, right, bottom in finder(image[y : y + tall, x : x + wide]):
            yield left + x, top + y, right + x, bottom + y


def _strengthened(image: Pixels) -> Pixels:
    """Local contrast evened out, for faint drawings and backlight."""
    lightness, *colour = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2LAB))
    lightness = cv2.createCLAHE(clipLimit=4.0, tileGridSize=(4, 4)).apply(lightness)
    return np.asarray(cv2.cvtColor(cv2.merge([lightness, *colour]), cv2.COLOR_LAB2RGB), np.uint8)
