"""Face mesh sequences split into what the head does and what the face does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

# Bone rather than muscle in MediaPipe's numbering: eye corners, nose bridge and tip, forehead, temples.
RIGID = (33, 133, 362, 263, 168, 6, 4, 10, 127, 356)
OUTER_EYES = (33, 263)
# What expressions move: lips, eyelids, brows.
EXPRESSIVE = (
    61, 291, 0, 17, 13, 14, 82, 87, 312, 317, 37, 267, 84, 314,
    159, 145, 386, 374, 160, 144, 387, 373,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
)  # fmt: skip


@dataclass(frozen=True)
class HeadMotion:
    """Frames without a face are NaN."""

    angles: np.ndarray  # (F, 3) yaw, pitch, roll in degrees, against the first frame with a face
    position: np.ndarray  # (F, 2) middle of the rigid points, in eye distances
    shape: np.ndarray  # (F, 478, 3) the mesh with the head held still, in eye distances


def separate(landmarks: np.ndarray) -> HeadMotion:
    """Lays every frame over the first one by the rigid points (similarity transform, least squares).

    Args:
        landmarks: (F, 478, 3) pixels, NaN where no face was found; one frame at least must show one.
    """
    seen = np.isfinite(landmarks).all((1, 2))
    points = landmarks[seen]
    unit = np.linalg.norm(points[0, OUTER_EYES[0]] - points[0, OUTER_EYES[1]])
    points = points / unit
    bone = points[:, list(RIGID)]
    middle = bone.mean(1, keepdims=True)
    centred = bone - middle
    target = centred[0]
    u, stretch, vt = np.linalg.svd(np.einsum("fni,nj->fij", centred, target))
    sign = np.ones_like(stretch)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[:, None]) @ vt  # row vectors: frame @ rotation = target
    scale = (stretch * sign).sum(1) / (centred**2).sum((1, 2))
    shape = scale[:, None, None] * ((points - middle) @ rotation)
    angles = Rotation.from_matrix(rotation).as_euler("YXZ", degrees=True)

    def spread(values: np.ndarray) -> np.ndarray:
        full = np.full((len(seen), *values.shape[1:]), np.nan)
        full[seen] = values
        return full

    return HeadMotion(spread(angles), spread(middle[:, 0, :2]), spread(shape))


def ratios(landmarks: np.ndarray) -> np.ndarray:
    """(F, 7) openings and heights in eye distances: lips inner, outer, width; lids left, right; brows left, right."""

    def gap(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(landmarks[:, a] - landmarks[:, b], axis=-1)

    pairs = ((13, 14), (0, 17), (61, 291), (159, 145), (386, 374), (105, 159), (334, 386))
    return np.stack([gap(*pair) for pair in pairs], 1) / gap(*OUTER_EYES)[:, None]
