"""Motion of a face in pictures alone, split into a rigid part and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

FPS = 25
STRIDE = 4  # pixels between the flow vectors that the head is fitted to


@dataclass(frozen=True)
class Motion:
    """(h, w) mean speeds in per cent of the picture's height per second."""

    everything: NDArray[np.float64]
    head: NDArray[np.float64]
    face: NDArray[np.float64]

    def means(self) -> dict[str, float]:
        return {
            "all": float(self.everything.mean()),
            "head": float(self.head.mean()),
            "expression": float(self.face.mean()),
        }


def motion(faces: NDArray[np.uint8], rigid: NDArray[np.float64]) -> Motion:
    """Farneback's optical flow between the frames (F, h, w, 3) that follow each other.

    rigid: (h, w) weight of the places that move with the head; places above one half count. Of a single frame nothing
    moves.
    """
    _, height, width, _ = faces.shape
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in faces]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    total = np.zeros((3, height, width))
    for before, after in pairwise(grey):
        flow = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore[call-overload]
        stiff = _similarity(flow, rigid > 0.5, columns, rows)
        total += [np.linalg.norm(part, axis=-1) for part in (flow, stiff, flow - stiff)]
    speed = total / max(1, len(grey) - 1) * FPS / height * 100
    return Motion(*speed)


def _similarity(
    flow: NDArray[np.float32], rigid: NDArray[np.bool_], x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(h, w, 2): the field of the rotation, scaling and shift that fits the flow of the rigid places best."""
    chosen = np.zeros_like(rigid)
    chosen[::STRIDE, ::STRIDE] = rigid[::STRIDE, ::STRIDE]
    if chosen.sum() < 8:
        return np.zeros_like(flow)
    start = np.stack([x[chosen], y[chosen]], 1)
    fitted, _ = cv2.estimateAffinePartial2D(start, start + flow[chosen], ransacReprojThreshold=0.5)
    if fitted is None:
        return np.zeros_like(flow)
    moved_x = fitted[0, 0] * x + fitted[0, 1] * y + fitted[0, 2]
    moved_y = fitted[1, 0] * x + fitted[1, 1] * y + fitted[1, 2]
    return np.stack([moved_x - x, moved_y - y], -1).astype(np.float32)
