"""Face boxes from S3FD's raw output, as SyncNet's pipeline takes them."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from hallo_lit.metrics.networks.s3fd import S3FD, decode

CANDIDATES = 750
FIRST_SCORE, FIRST_OVERLAP = 0.05, 0.3
LAST_SCORE, LAST_OVERLAP = 0.9, 0.1
SHRINK = 0.25


def suppress(boxes: np.ndarray, scores: np.ndarray, limit: float) -> np.ndarray:
    """Indices that survive non-maximum suppression, best first; boxes (n, 4), a pair may overlap by `limit`."""
    order = np.argsort(scores, kind="stable")[::-1]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = np.prod(np.maximum(0, high - low), axis=1)
        order = order[shared / (areas[best] + areas[order] - shared) <= limit]
    return np.array(kept, np.int64)


def candidates(loc: Tensor, conf: Tensor, anchors: Tensor) -> np.ndarray:
    """(k <= 750, 5) score, left, top, right, bottom in units of the picture, best first, for one picture."""
    scores = conf[:, 1].cpu().numpy()
    likely = scores > FIRST_SCORE
    boxes = decode(loc, anchors).cpu().numpy()[likely]
    kept = suppress(boxes, scores[likely], FIRST_OVERLAP)[:CANDIDATES]
    return np.concatenate([scores[likely][kept, None], boxes[kept]], axis=1)


def above(found: np.ndarray, size: tuple[int, int], score: float) -> np.ndarray:
    """Candidates with more than `score` as (n, 5) left, top, right, bottom in pixels of a (height, width) and score."""
    likely = found[found[:, 0] > score]
    height, width = size
    return np.concatenate([likely[:, 1:] * np.array([width, height, width, height]), likely[:, :1]], axis=1)


def prepare(image: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 RGB -> (3, H, W) float32 minus the mean."""
    return torch.from_numpy(image.astype(np.float32) - np.array(S3FD.MEAN, np.float32)).permute(2, 0, 1)


@torch.no_grad()
def detect(network: S3FD, image: np.ndarray) -> np.ndarray:
    """Faces of a picture looked at from a quarter of its size: (n, 5) left, top, right, bottom in pixels, and score."""
    small = cv2.resize(image, None, fx=SHRINK, fy=SHRINK, interpolation=cv2.INTER_LINEAR)
    device = next(network.parameters()).device
    loc, conf, anchors = network(prepare(small)[None].to(device))
    faces = above(candidates(loc[0], conf[0], anchors), (image.shape[0], image.shape[1]), LAST_SCORE)
    return faces[suppress(faces[:, :4], faces[:, 4], LAST_OVERLAP)]
