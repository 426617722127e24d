"""What landmarks tell: boxes, head angles, how open and wide the mouth is, and whether a face will do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hallo_lit.errors import UserError
from hallo_lit.faces.regions import FACE_OVAL, OUTER_LIPS, Landmarks, bounds

MIN_FACE = 40  # pixels, the longer side of the face
MAX_YAW = 40.0  # degrees as `yaw_pitch_roll` measures them, which falls short of the truth beyond 30

_FOREHEAD, _CHIN, _LEFT_CHEEK, _RIGHT_CHEEK = 10, 152, 234, 454  # left and right of the picture
_LEFT_EYE, _RIGHT_EYE = 33, 263  # outer corners
_UPPER_LIP, _LOWER_LIP = 13, 14  # inner edges
_LEFT_CORNER, _RIGHT_CORNER = 61, 291
# outer corner, inner corner, upper lid, lower lid, middle of the brow, iris; left and right of the picture
_EYES = ((33, 133, 159, 145, 105, 468), (263, 362, 386, 374, 334, 473))


def face_box(landmarks: Landmarks) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the face oval, hairline to chin, in pixels."""
    return bounds(landmarks, FACE_OVAL)


def lip_box(landmarks: Landmarks) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the outer lips, in pixels."""
    return bounds(landmarks, OUTER_LIPS)


def face_area(landmarks: Landmarks) -> float:
    """Square pixels of the face box."""
    left, top, right, bottom = face_box(landmarks)
    return (right - left) * (bottom - top)


def aperture(landmarks: Landmarks) -> NDArray[np.float64]:
    """Inner lip gap over the distance of the outer eye corners, (..., 478, 2|3) -> (...); about 0 closed, 0.4 wide."""
    return _distance(landmarks, _UPPER_LIP, _LOWER_LIP) / _distance(landmarks, _LEFT_EYE, _RIGHT_EYE)


def lip_width(landmarks: Landmarks) -> NDArray[np.float64]:
    """Distance of the mouth corners over that of the outer eye corners, (..., 478, 2|3) -> (...)."""
    return _distance(landmarks, _LEFT_CORNER, _RIGHT_CORNER) / _distance(landmarks, _LEFT_EYE, _RIGHT_EYE)


def lid_aperture(landmarks: Landmarks) -> NDArray[np.float64]:
    """Gap of the lids over the length of the eye, mean of both, (..., 478, 2|3) -> (...); about 0.3 open, 0.1 shut."""
    gaps = [_distance(landmarks, upper, lower) / _distance(landmarks, a, b) for a, b, upper, lower, _, _ in _EYES]
    return np.mean(gaps, 0)


def brow_height(landmarks: Landmarks) -> NDArray[np.float64]:
    """How far brows are above the line through the eye corners, over the distance of the outer ones, (...)."""
    heights = [-_beside(landmarks, a, b, brow)[..., 1] for a, b, _, _, brow, _ in _EYES]
    return np.mean(heights, 0) / _distance(landmarks, _LEFT_EYE, _RIGHT_EYE)


def gaze_offset(landmarks: Landmarks) -> NDArray[np.float64]:
    """How far irises are from the middle of their eyes, over the length of an eye, (..., 2): right and down."""
    found = [_beside(landmarks, a, b, iris) / _distance(landmarks, a, b)[..., None] for a, b, _, _, _, iris in _EYES]
    return np.mean(found, 0)


def yaw_pitch_roll(landmarks: Landmarks) -> tuple[float, float, float]:
    """Degrees from landmarks (478, 3): yaw > 0 turned to the picture's right, pitch > 0 looking down, roll clockwise.

    From the axes cheek to cheek and forehead to chin. A frontal face has a pitch of 0 to 15, as foreheads slope.
    Raises ValueError for landmarks without depth.
    """
    if landmarks.shape[-1] != 3:
        raise ValueError("head angles need landmarks with depth, (478, 3)")
    right = _unit(landmarks[_RIGHT_CHEEK] - landmarks[_LEFT_CHEEK])
    down = landmarks[_CHIN] - landmarks[_FOREHEAD]
    down = _unit(down - right * (down @ right))
    away = np.cross(right, down)
    yaw = np.arcsin(np.clip(right[2], -1, 1))
    pitch = np.arctan2(down[2], away[2])
    roll = np.arctan2(right[1], right[0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def require_face(
    faces: Sequence[Landmarks],
    path: str | Path,
    index: int | None = None,
    min_size: float = MIN_FACE,
    max_yaw: float = MAX_YAW,
) -> Landmarks:
    """The largest face, or the one at `index` in the order of size, if it is fit to be animated.

    Raises UserError naming `path` where there is none, no such index, one smaller than min_size pixels or turned by
    more than max_yaw degrees.
    """
    if not faces:
        raise UserError(
            f"{path} shows no face that can be found; give a picture with one face, from the front, in light"
        )
    if index is not None and not 0 <= index < len(faces):
        have = "1 face, number 0" if len(faces) == 1 else f"{len(faces)} faces, 0 (largest) to {len(faces) - 1}"
        raise UserError(f"{path} has no face number {index}; it shows {have}")
    face = faces[index or 0]
    left, top, right, bottom = face_box(face)
    size = max(right - left, bottom - top)
    if size < min_size:
        raise UserError(
            f"the face in {path} is too small: {size:.0f} pixels high, at least {min_size:.0f} are needed; "
            "give a larger picture or a closer one"
        )
    if face.shape[-1] == 3 and abs(yaw := yaw_pitch_roll(face)[0]) > max_yaw:
        raise UserError(
            f"the face in {path} is in profile: turned by about {abs(yaw):.0f} degrees, at most {max_yaw:.0f} will do; "
            "give a picture taken from the front"
        )
    return face


def _distance(landmarks: Landmarks, a: int, b: int) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(landmarks[..., a, :2] - landmarks[..., b, :2], axis=-1))


def _beside(landmarks: Landmarks, a: int, b: int, place: int) -> NDArray[np.float64]:
    """(..., 2) from the middle of a and b to `place`, along the eyes (rightwards) and across them (downwards)."""
    across = landmarks[..., _RIGHT_EYE, :2] - landmarks[..., _LEFT_EYE, :2]
    right = across / np.linalg.norm(across, axis=-1, keepdims=True)
    down = np.stack([-right[..., 1], right[..., 0]], -1)
    offset = landmarks[..., place, :2] - (landmarks[..., a, :2] + landmarks[..., b, :2]) / 2
    return np.stack([(offset * right).sum(-1), (offset * down).sum(-1)], -1)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))
