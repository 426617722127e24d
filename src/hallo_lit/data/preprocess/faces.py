"""MediaPipe in the two ways the passes need it: all faces of a picture, and one face through a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from hallo_lit.data.preprocess.settings import Tracking
from hallo_lit.data.preprocess.track import Find
from hallo_lit.faces.landmarks import FaceLandmarks


@contextmanager
def find_faces(settings: Tracking) -> Iterator[Find]:
    """A function that finds every face of a picture, each time anew."""
    with FaceLandmarks(settings.backend, settings.task_file, static=True, max_faces=settings.max_faces) as landmarks:
        yield landmarks.detect


@contextmanager
def follow_face(settings: Tracking) -> Iterator[Callable[[np.ndarray], np.ndarray | None]]:
    """A function for the frames of one clip in order: landmarks (478, 3) of its face, or None."""
    with FaceLandmarks(settings.backend, settings.task_file, static=False, max_faces=1) as landmarks:

        def follow(image: np.ndarray) -> np.ndarray | None:
            found = landmarks.detect(image)
            return found[0] if found else None

        yield follow
