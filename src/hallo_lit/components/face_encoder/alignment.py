"""Cuts a face out so that eyes, nose and mouth always land on the same pixels."""

from __future__ import annotations

import cv2
import numpy as np

from hallo_lit.errors import UserError

TEMPLATE_SIZE = 112
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where ArcFace networks expect the five points in a 112 x 112 picture (x, y), left of the picture first."""

POINTS = ((33, 133), (362, 263), (4,), (61,), (291,))
"""MediaPipe landmarks whose means are the five points: both corners of either eye, nose tip, mouth corners.

Eye corners rather than the iris (468, 473), because those stay put when the person looks aside or blinks. Nose tip 4
rather than 1: on a frontal face it fits the template better (1.0 px rms over the five points against 1.4).
"""


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """(478, 2 or 3) -> (5, 2): eyes, nose tip, mouth corners, left of the picture first."""
    if landmarks.ndim != 2 or len(landmarks) < 468 or landmarks.shape[1] < 2:
        raise ValueError(f"face landmarks must be (478, 2 or 3), not {landmarks.shape}")
    return np.array([landmarks[list(group), :2].mean(0) for group in POINTS], dtype=np.float64)


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares rotation, scale and shift from source (n, 2) to target (n, 2), as a (2, 3) matrix.

    Points are taken as complex numbers, w = a z + b: Umeyama's solution without a mirror image.

    Raises:
        UserError: the source points coincide or are not finite.
    """
    z, w = (points @ np.array([1, 1j]) for points in (source, target))
    centred = z - z.mean()
    spread = np.vdot(centred, centred).real
    if not np.isfinite(spread) or spread < 1e-6:
        raise UserError("The face landmarks coincide or are not numbers; choose a picture with a larger face.")
    a = np.vdot(centred, w - w.mean()) / spread
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def aligned_face(
    image: np.ndarray, landmarks: np.ndarray, size: int = TEMPLATE_SIZE, antialias: bool = True
) -> np.ndarray:
    """uint8 (H, W, 3) -> uint8 (size, size, 3), black outside the picture.

    `antialias` averages large faces down before warping; without it the sampling is that of InsightFace.
    """
    matrix = similarity(five_points(landmarks), TEMPLATE * (size / TEMPLATE_SIZE))
    shrink = int(1 / np.hypot(matrix[0, 0], matrix[1, 0])) if antialias else 1
    if shrink > 1:
        height, width = (max(1, round(side / shrink)) for side in image.shape[:2])
        factors = np.array([image.shape[1] / width, image.shape[0] / height])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        # Pixel centres: x = factor (x' + 1/2) - 1/2 of the shrunken picture's x'.
        matrix = np.column_stack([matrix[:, :2] * factors, matrix[:, 2] + matrix[:, :2] @ ((factors - 1) / 2)])
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))
