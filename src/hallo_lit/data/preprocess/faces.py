"""MediaPipe in the two ways the passes need it: all faces of a picture quickly, and one face through a clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import numpy as np

from hallo_lit.data.preprocess.render import See
from hallo_lit.data.preprocess.settings import Tracking
from hallo_lit.data.preprocess.track import Box, Eyes
from hallo_lit.faces.landmarks import Backend, FaceLandmarks
from hallo_lit.faces.mediapipe_models import FaceFinder, FaceMesh


@dataclass(frozen=True)
class _Eyes:
    """One look of each model; `FaceLandmarks` searches portraits harder than a video of thousands of looks can bear."""

    mesh: FaceMesh
    finder: FaceFinder

    def find(self, image: np.ndarray) -> list[np.ndarray]:
        return list(self.mesh(image))

    def suspect(self, image: np.ndarray) -> list[Box]:
        return self.finder(image)


@contextmanager
def open_eyes(settings: Tracking) -> Iterator[Eyes]:
    """For the first pass, which only needs boxes, whatever the backend of the landmarks is."""
    with closing(FaceMesh(True, settings.max_faces)) as mesh, closing(FaceFinder()) as finder:
        yield _Eyes(mesh, finder)


@contextmanager
def follow_face(settings: Tracking) -> Iterator[See]:
    """A function for the frames of one clip in order: landmarks (478, 3) of its face, or None."""
    backend: Backend = "face_landmarker" if settings.backend == "face_landmarker" else "face_mesh"
    with FaceLandmarks(backend, settings.task_file, static=False, max_faces=1) as landmarks:

        def see(image: np.ndarray) -> np.ndarray | None:
            found = landmarks.detect(image)
            return found[0] if found else None

        yield see
