"""Numbers of one cropped clip for the filters; all are shares, degrees, seconds or face heights."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hallo_lit.data.preprocess.settings import FPS
from hallo_lit.faces.landmarks import yaw_pitch_roll
from hallo_lit.signals.lip_audio import lip_audio_sync, openings, speech_share

_STILL = (33, 133, 362, 263, 168, 6, 1)  # eye corners and nose: they do not move when the mouth does
_REACH = 2  # frames over which speed is taken: jitter hardly counts, shaking does
_FACE_SIDE = 192  # pixels the face is brought to before its sharpness is taken


@dataclass(frozen=True)
class Seen:
    """What was seen of a face in one clip."""

    landmarks: np.ndarray  # (F, 478, 3) pixels of the crop; frames without a face are NaN
    sharpness: float


def measure(seen: Seen, wave: np.ndarray | None) -> dict[str, float | None]:
    """Values by the names that the rules use; `wave` is 16 kHz mono, None when there is no sound track."""
    landmarks = seen.landmarks
    found = np.isfinite(landmarks[:, 0, 0])
    values: dict[str, float | None] = {"found": float(found.mean()), "sharpness": seen.sharpness}
    if not found.any():
        return values
    angles = np.array([yaw_pitch_roll(face) for face in landmarks[found]])
    values |= dict(zip(("yaw", "pitch", "roll"), np.percentile(np.abs(angles), 95, axis=0).tolist(), strict=True))
    values |= motion(bridged(landmarks))
    mouth = openings(landmarks)
    values["mouth"] = float(np.nanstd(mouth.inner))
    if wave is not None:
        values["speech"] = speech_share(wave)
        sync = lip_audio_sync(mouth, np.arange(len(landmarks)) / FPS, wave)
        if sync is not None:
            values |= {"sync_r": sync.r_near, "sync_best": float(sync.r.max()), "sync_lag_ms": float(sync.lag_ms)}
            values["sync_confidence"] = sync.confidence
    return values


def bridged(landmarks: np.ndarray) -> np.ndarray:
    """Frames without a face filled by straight lines between their neighbours; at least one frame must have a face."""
    found = np.flatnonzero(np.isfinite(landmarks[:, 0, 0]))
    flat = landmarks.reshape(len(landmarks), -1)
    at = np.arange(len(flat))
    right = np.clip(np.searchsorted(found, at), 0, len(found) - 1)
    left = np.clip(np.searchsorted(found, at, side="right") - 1, 0, len(found) - 1)
    span = np.maximum(found[right] - found[left], 1)
    weight = np.clip((at - found[left]) / span, 0, 1)[:, None]
    return np.asarray(flat[found[left]] * (1 - weight) + flat[found[right]] * weight).reshape(landmarks.shape)


def motion(landmarks: np.ndarray) -> dict[str, float | None]:
    """Speed, largest jump and extent of the face's way, in face heights."""
    height = float(np.median(np.ptp(landmarks[:, :, 1], axis=1)))
    place = landmarks[:, list(_STILL), :2].mean(axis=1) / height
    reach = min(_REACH, len(place) - 1)
    if reach < 1:
        return {"speed": 0.0, "jump": 0.0, "travel": 0.0}
    speed = np.linalg.norm(place[reach:] - place[:-reach], axis=1) * FPS / reach
    jump = np.linalg.norm(np.diff(place, axis=0), axis=1)
    travel = np.linalg.norm(np.ptp(place, axis=0))
    return {"speed": float(np.percentile(speed, 95)), "jump": float(jump.max()), "travel": float(travel)}


def sharpness(image: np.ndarray, landmarks: np.ndarray) -> float:
    """1 = crisp, 0 = as blurred as can be: how much of the variation between neighbouring pixels more blur would take.

    Of the face alone (landmarks in pixels of the image), brought to one size, so that small faces count as blurred
    (after Crete et al. 2007).
    """
    (left, top), (right, bottom) = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    face = image[max(0, int(top)) : max(1, int(bottom)), max(0, int(left)) : max(1, int(right))]
    if min(face.shape[:2]) < 8:
        return 0.0
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    way = cv2.INTER_AREA if min(grey.shape) > _FACE_SIDE else cv2.INTER_LINEAR
    grey = cv2.resize(grey, (_FACE_SIDE, _FACE_SIDE), interpolation=way).astype(np.float32)
    return min(_lost(grey, (9, 1), 1), _lost(grey, (1, 9), 0))


def _lost(grey: np.ndarray, kernel: tuple[int, int], axis: int) -> float:
    variation = np.abs(np.diff(grey, axis=axis))
    after = np.abs(np.diff(cv2.blur(grey, kernel), axis=axis))
    total = float(variation.sum())
    return float(np.maximum(0, variation - after).sum()) / total if total > 0 else 0.0
