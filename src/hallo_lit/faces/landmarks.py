"""Landmarks of the faces in a picture: portraits are searched thoroughly, the frames of a video quickly."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Literal

import cv2
import numpy as np

from hallo_lit.faces.crop import Pixels
from hallo_lit.faces.measures import (
    MAX_YAW,
    MIN_FACE,
    aperture,
    face_area,
    face_box,
    lip_box,
    lip_width,
    require_face,
    yaw_pitch_roll,
)
from hallo_lit.faces.mediapipe_models import FaceFinder, FaceLandmarker, FaceMesh, MeshModel
from hallo_lit.faces.regions import Landmarks
from hallo_lit.faces.search import look_closely, placed, search

__all__ = [
    "MAX_YAW",
    "MIN_FACE",
    "FaceLandmarks",
    "Landmarks",
    "aperture",
    "face_box",
    "lip_box",
    "lip_width",
    "require_face",
    "yaw_pitch_roll",
]

# The models shrink pictures to 256 pixels or fewer without a filter, so large ones alias; in a video, time counts.
WORKING_SIDE, VIDEO_SIDE = 1280, 2560

Backend = Literal["face_mesh", "face_landmarker"]


class FaceLandmarks:
    """Detector and context manager for pictures of any size.

    `face_mesh` needs nothing but mediapipe; `face_landmarker` is what the released weights saw and needs its task file.
    static=False follows the faces of one video from frame to frame and leaves out the search for small ones.
    """

    def __init__(
        self,
        backend: Backend = "face_mesh",
        task_file: str | Path | None = None,
        static: bool = True,
        max_faces: int = 8,
    ) -> None:
        """Raises UserError where mediapipe or the task file is missing, ValueError for another backend."""
        if backend not in ("face_mesh", "face_landmarker"):
            raise ValueError(f"backend is face_mesh or face_landmarker, not {backend!r}")
        self.backend, self.static, self.max_faces = backend, static, max_faces
        self._task_file = None if task_file is None else Path(task_file)
        self._mesh = self._model(static, max_faces)
        self._close_up: MeshModel | None = None
        self._finder: FaceFinder | None = None

    def detect(self, image: Pixels) -> list[Landmarks]:
        """(H, W, 3) uint8 RGB -> landmarks (478, 3) in pixels of each face, largest first; smaller z is nearer."""
        scale = min(1.0, (WORKING_SIDE if self.static else VIDEO_SIDE) / max(image.shape[:2]))
        small = image
        if scale < 1:
            small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        faces = self._mesh(small)
        if self.static:
            faces = self._searched(small, faces)
        faces = [placed(face, (0, 0), 1 / scale) for face in faces]
        if self.static and self.backend == "face_mesh":  # of a small face only a close look is accurate
            faces = [self._closely(image, face) for face in faces]
        return sorted(faces, key=face_area, reverse=True)[: self.max_faces]

    def close(self) -> None:
        """Frees the models; the detector cannot be used afterwards."""
        for model in (self._mesh, self._close_up, self._finder):
            if model is not None:
                model.close()

    def __enter__(self) -> FaceLandmarks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _model(self, static: bool, max_faces: int) -> MeshModel:
        if self.backend == "face_mesh":
            return FaceMesh(static, max_faces)
        return FaceLandmarker(self._task_file, static, max_faces)

    def _searched(self, small: Pixels, faces: list[Landmarks]) -> list[Landmarks]:
        self._finder = self._finder or FaceFinder()
        self._close_up = self._close_up or self._model(True, 1)
        return search(small, faces, self._close_up, self._finder)

    def _closely(self, image: Pixels, face: Landmarks) -> Landmarks:
        self._close_up = self._close_up or self._model(True, 1)
        closer = look_closely(image, face_box(face), self._close_up)
        return face if closer is None else closer
