"""How much the camera moves: optical flow of the background, between looks that are a fraction of a second apart."""

from __future__ import annotations

import cv2
import numpy as np

from hallo_lit.data.preprocess.track import Box

SIDE = 240  # longer side in pixels of the picture the flow is computed on
_POINTS, _FEWEST = 120, 12


class CameraMotion:
    """Displacement of the background per look, as a share of the picture's longer side.

    Faces and what is below them (bodies) are left out. Looks without enough background are NaN: unknown, not still.
    """

    def __init__(self) -> None:
        self.moves: list[float] = []
        self._before: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, image: np.ndarray, faces: list[Box]) -> None:
        """image (H, W, 3) uint8 RGB; boxes in its pixels."""
        scale = SIDE / max(image.shape[:2])
        size = (max(16, round(image.shape[1] * scale)), max(16, round(image.shape[0] * scale)))
        grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
        background = np.full(grey.shape, 255, np.uint8)
        for box in faces:
            left, top, right, bottom = (side * scale for side in box)
            wide, high = (right - left), (bottom - top)
            head = slice(max(0, int(left - 0.6 * wide)), int(right + 0.6 * wide))
            body = slice(max(0, int(left - 1.8 * wide)), int(right + 1.8 * wide))
            background[max(0, int(top - 0.6 * high)) : int(bottom), head] = 0
            background[int(bottom) :, body] = 0
        self.moves.append(_move(*self._before, grey) if self._before else float("nan"))
        self._before = (grey, background)


def _move(before: np.ndarray, background: np.ndarray, now: np.ndarray) -> float:
    """Largest displacement of a corner of the picture under the background's motion, over the picture's side."""
    points = cv2.goodFeaturesToTrack(before, _POINTS, 0.02, 5, mask=background)
    if points is None or len(points) < _FEWEST:
        return float("nan")
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, now, points, np.zeros_like(points), winSize=(15, 15), maxLevel=3)
    good = found[:, 0] == 1
    if good.sum() < _FEWEST:
        return float("nan")
    motion, inliers = cv2.estimateAffinePartial2D(points[good], moved[good], ransacReprojThreshold=1.0)
    if motion is None or inliers.mean() < 0.4:
        return float("nan")
    height, width = now.shape
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)], np.float64)
    shift = corners @ motion[:, :2].T + motion[:, 2] - corners
    return float(np.linalg.norm(shift, axis=1).max() / max(height, width))
