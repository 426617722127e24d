"""The first pass over a source: shots, faces and camera motion, from small pictures, in one stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from hallo_lit.data.preprocess.camera import CameraMotion
from hallo_lit.data.preprocess.settings import Settings
from hallo_lit.data.preprocess.shots import ShotDetector
from hallo_lit.data.preprocess.track import Box, Eyes, Track, Tracker


@dataclass(frozen=True)
class Analysis:
    """What the first pass found. Frames are counted at 25 a second from the start of the source's window."""

    frames: int
    size: tuple[int, int]  # height, width of the pictures that were looked at; boxes are in their pixels
    every: int  # frames between two looks
    shots: tuple[tuple[int, int], ...]  # [start, end)
    tracks: tuple[Track, ...]
    camera: tuple[float, ...]  # motion up to each look, see CameraMotion

    def to_record(self) -> dict[str, Any]:
        """Plain JSON values; coordinates are rounded to a tenth of a pixel."""
        record = asdict(self)
        for track in record["tracks"]:
            track["boxes"] = [[round(side, 1) for side in box] for box in track["boxes"]]
        record["camera"] = [None if np.isnan(move) else round(move, 5) for move in self.camera]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Analysis:
        record = dict(record)
        tracks = (Track(t["frames"], [_box(box) for box in t["boxes"]]) for t in record.pop("tracks"))
        camera = (float("nan") if move is None else move for move in record.pop("camera"))
        shots = (tuple(shot) for shot in record.pop("shots"))
        return cls(
            size=tuple(record.pop("size")), shots=tuple(shots), tracks=tuple(tracks), camera=tuple(camera), **record
        )


def analyse(frames: Iterable[np.ndarray], settings: Settings, eyes: Eyes) -> Analysis:
    """Looks at every frame (H, W, 3) uint8 RGB for cuts and at one in `tracking.every` for faces and the camera.

    Pictures are shrunk to `tracking.side` first.
    """
    detector, tracker, camera = ShotDetector(), Tracker(settings.tracking, eyes), CameraMotion()
    size, count, every = (0, 0), 0, settings.tracking.every
    for count, frame in enumerate(frames, 1):
        image = shrunk(frame, settings.tracking.side)
        size = (image.shape[0], image.shape[1])
        detector.add(image)
        if (count - 1) % every == 0:
            camera.add(image, tracker.look(count - 1, image))
    shots = detector.shots(settings.shots) if count else []
    return Analysis(count, size, every, tuple(shots), tuple(tracker.tracks), tuple(camera.moves))


def shrunk(image: np.ndarray, side: int) -> np.ndarray:
    """With a longer side of at most `side` pixels."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(2, round(image.shape[1] * scale)), max(2, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _box(values: list[float]) -> Box:
    left, top, right, bottom = values
    return left, top, right, bottom
