"""SyncNet's face tracks and mouth crops: linking detections, bridging gaps, smoothing, the 224-pixel square."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.signal import medfilt

SIDE = 224
GREY = 110
SCALE = 0.4  # the crop is 2.8 half-sizes wide and reaches 1.8 below the centre
MAX_GAP = 25  # frames a face may be lost
MIN_OVERLAP = 0.5
MIN_SIZE = 100.0  # pixels, mean over the track


@dataclass(frozen=True)
class Track:
    """One face over consecutive frames, gaps filled."""

    frames: np.ndarray  # (L,) int64
    boxes: np.ndarray  # (L, 4) left, top, right, bottom


@dataclass(frozen=True)
class Path:
    """Half-size and centre of the face in every frame of a track, smoothed."""

    s: np.ndarray
    x: np.ndarray
    y: np.ndarray


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(width * height / (areas - width * height))


def link(detections: Sequence[np.ndarray], min_track: int = 100, min_size: float = MIN_SIZE) -> list[Track]:
    """Tracks with more than `min_track` detections whose mean size exceeds `min_size`.

    Args:
        detections: per frame (n, >= 4) boxes in detection order. After a box has joined a track, the next one of the
            same frame is passed over, because the original edits the list it walks through; scores depend on it.
    """
    left = [[row[:4] for row in found] for found in detections]
    tracks: list[Track] = []
    while True:
        frames: list[int] = []
        boxes: list[np.ndarray] = []
        for frame, found in enumerate(left):
            index = 0
            while index < len(found):
                joins = not frames or (frame - frames[-1] <= MAX_GAP and overlap(found[index], boxes[-1]) > MIN_OVERLAP)
                if joins:
                    frames.append(frame)
                    boxes.append(found.pop(index))
                index += 1
        if not frames:
            return tracks
        if len(frames) > min_track:
            track = _fill(np.array(frames), np.array(boxes))
            if (track.boxes[:, 2:] - track.boxes[:, :2]).mean(0).max() > min_size:
                tracks.append(track)


def _fill(frames: np.ndarray, boxes: np.ndarray) -> Track:
    every = np.arange(frames[0], frames[-1] + 1)
    filled = np.stack([np.interp(every, frames, boxes[:, i]) for i in range(4)], 1)
    seen, first = np.unique(frames, return_index=True)
    filled[seen - frames[0]] = boxes[first]  # a track can hold two boxes of one frame; the first one counts
    return Track(every, filled)


def smooth(track: Track) -> Path:
    """13-tap median with zeros beyond the ends, which shrinks the first and last six values; the original does so."""
    left, top, right, bottom = track.boxes.T
    size = np.maximum(bottom - top, right - left) / 2
    return Path(*(medfilt(values, 13) for values in (size, (left + right) / 2, (top + bottom) / 2)))


def rectangle(s: float, x: float, y: float) -> tuple[int, int, int, int, int]:
    """Rows and columns (top, bottom, left, right) to cut from the picture padded by the fifth number on every side."""
    pad = int(s * (1 + 2 * SCALE))
    x, y = x + pad, y + pad
    return int(y - s), int(y + s * (1 + 2 * SCALE)), int(x - s * (1 + SCALE)), int(x + s * (1 + SCALE)), pad


def crop(frame: np.ndarray, s: float, x: float, y: float) -> np.ndarray:
    """(H, W, 3) -> (224, 224, 3), grey beyond the picture.

    Raises:
        ValueError: the face is so small or so far outside that nothing is left.
    """
    top, bottom, left, right, pad = rectangle(s, x, y)
    padded = cv2.copyMakeBorder(frame, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(GREY, GREY, GREY))
    face = padded[max(0, top) : bottom, max(0, left) : right]
    if face.size == 0:
        raise ValueError("the face track leaves the picture")
    return cv2.resize(face, (SIDE, SIDE))


def crops(frames: Iterable[np.ndarray], track: Track) -> Iterator[np.ndarray]:
    """The mouth crops of a track while the whole video streams by."""
    path = smooth(track)
    for index, frame in enumerate(frames):
        at = index - int(track.frames[0])
        if at >= len(track.frames):
            return
        if at >= 0:
            yield crop(frame, path.s[at], path.x[at], path.y[at])


def seconds(track: Track, fps: float = 25.0) -> tuple[float, float]:
    """Start and end of the track's sound."""
    return float(track.frames[0] / fps), float((track.frames[-1] + 1) / fps)
