"""Landmarks of made-up faces at known places."""

from __future__ import annotations

import numpy as np

from hallo_lit.components.face_encoder.alignment import POINTS, TEMPLATE


def transform(scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    """The (2, 3) matrix that takes template coordinates into a photo."""
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def landmarks(matrix: np.ndarray, depth: bool = False) -> np.ndarray:
    """(478, 2 or 3) whose five points are the template's, seen through `matrix`; the other points are far off."""
    points = np.full((478, 3 if depth else 2), 1e4)
    for group, at in zip(POINTS, apply(matrix, TEMPLATE), strict=True):
        spread = np.linspace(-2.0, 2.0, len(group))[:, None] if len(group) > 1 else np.zeros((1, 1))
        points[list(group), :2] = at + spread  # the corners of an eye lie on either side of its middle
    return points


def ramp(height: int, width: int) -> np.ndarray:
    """Red grows to the right, green downwards, blue is constant: a colour tells its place."""
    image = np.empty((height, width, 3))
    image[..., 0] = np.arange(width) * (250 / width)
    image[..., 1] = (np.arange(height) * (250 / height))[:, None]
    image[..., 2] = 77
    return image.round().astype(np.uint8)
