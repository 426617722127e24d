"""The square around the face that `animate` would cut out, so that training sees faces as inference does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.paint import Pixels
from hallo_lit.faces.crop import crop, square_crop

SHIFT, ZOOM = 0.02, 0.04  # of the side: landmarks of a photo are never quite the true ones


def close_up(
    frames: Pixels, landmarks: NDArray[np.float32], margin: float, size: int, rng: np.random.Generator
) -> tuple[Pixels, NDArray[np.float32]]:
    """Frames (f, H, W, 3) and landmarks (f, 478, 3) within one crop, made around the face of a random frame.

    margin is `animate`'s crop_margin. Returns (f, size, size, 3), and landmarks in its pixels.
    """
    anchor = landmarks[int(rng.integers(len(landmarks)))].astype(np.float64)
    height, width = frames.shape[1:3]
    left, top, right, bottom = square_crop(anchor, (height, width), margin * (1 + rng.uniform(-ZOOM, ZOOM)))
    side = right - left
    dx, dy = (round(float(rng.uniform(-SHIFT, SHIFT)) * side) for _ in range(2))
    box = (left + dx, top + dy, right + dx, bottom + dy)
    scale = size / side
    moved = (landmarks - np.array([box[0], box[1], 0.0])) * scale
    return np.stack([crop(frame, box, (size, size)) for frame in frames]), moved.astype(np.float32)
