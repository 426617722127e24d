"""MediaPipe's face models as plain callables: picture in, points or boxes in pixels out."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hallo_lit.errors import UserError
from hallo_lit.faces.quiet import chatter_hidden
from hallo_lit.faces.regions import Landmarks

Pixels = NDArray[np.uint8]
TASK_URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
)


_NOTHING = np.zeros((64, 64, 3), np.uint8)  # graphs start, and log, in threads that their first picture waits for


class MeshModel(Protocol):
    """(H, W, 3) uint8 RGB -> landmarks (478, 3) of each face, in pixels; z in the same unit, smaller is nearer."""

    def __call__(self, image: Pixels) -> list[Landmarks]: ...

    def close(self) -> None: ...


class FaceMesh:
    """The solution whose models come with mediapipe: faces of more than about an eighth of the picture's height."""

    def __init__(self, static: bool, max_faces: int) -> None:
        """static: search every picture anew; otherwise follow faces from frame to frame."""
        solutions = _mediapipe().solutions
        with chatter_hidden():
            self._graph = solutions.face_mesh.FaceMesh(
                static_image_mode=static, max_num_faces=max_faces, refine_landmarks=True, min_detection_confidence=0.5
            )
            self._graph.process(_NOTHING)
        self._run = _Quietly(self._graph.process)

    def __call__(self, image: Pixels) -> list[Landmarks]:
        found = self._run(np.ascontiguousarray(image)).multi_face_landmarks or ()
        return [_points(face.landmark, image) for face in found]

    def close(self) -> None:
        self._graph.close()


class FaceLandmarker:
    """The task the original used; its model file is the user's."""

    def __init__(self, task_file: Path | None, static: bool, max_faces: int) -> None:
        """Raises UserError without a usable task file."""
        if task_file is None or not task_file.is_file():
            where = "no task_file is set" if task_file is None else f"{task_file} does not exist"
            raise UserError(
                f"landmarks=face_landmarker needs a model file, but {where}; "
                f"download it from {TASK_URL} and set task_file to it, or use landmarks=face_mesh"
            )
        self._mediapipe = _mediapipe()
        from mediapipe.tasks.python import BaseOptions, vision

        self._milliseconds = None if static else 0
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=task_file.read_bytes()),
            running_mode=vision.RunningMode.IMAGE if static else vision.RunningMode.VIDEO,
            num_faces=max_faces,
        )
        self._damaged = UserError(
            f"{task_file} is not a face landmarker model or is damaged; download it again from {TASK_URL}"
        )
        try:
            with chatter_hidden():
                self._task = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise self._damaged from error
        self._run = _Quietly(self._task.detect if static else self._task.detect_for_video)
        with chatter_hidden():
            self(_NOTHING)

    def __call__(self, image: Pixels) -> list[Landmarks]:
        colours = self._mediapipe.ImageFormat.SRGB
        picture = self._mediapipe.Image(image_format=colours, data=np.ascontiguousarray(image))
        arguments = [picture]
        if self._milliseconds is not None:
            self._milliseconds += 40
            arguments.append(self._milliseconds)
        try:
            found = self._run(*arguments)
        except RuntimeError as error:  # parts of the file are checked only when they first run
            raise self._damaged from error
        return [_points(face, image) for face in found.face_landmarks]

    def close(self) -> None:
        with suppress(RuntimeError):  # a task that failed complains once more
            self._task.close()


class FaceFinder:
    """Boxes (left, top, right, bottom) of faces too small for FaceMesh, down to about a fifteenth of the height."""

    def __init__(self) -> None:
        solutions = _mediapipe().solutions
        with chatter_hidden():
            self._graph = solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.4)
            self._graph.process(_NOTHING)
        self._run = _Quietly(self._graph.process)

    def __call__(self, image: Pixels) -> list[tuple[float, float, float, float]]:
        height, width = image.shape[:2]
        found = self._run(np.ascontiguousarray(image)).detections or ()
        boxes = [each.location_data.relative_bounding_box for each in found]
        return [
            (b.xmin * width, b.ymin * height, (b.xmin + b.width) * width, (b.ymin + b.height) * height) for b in boxes
        ]

    def close(self) -> None:
        self._graph.close()


class _Quietly:
    """Hides chatter of the first calls on real pictures: graphs log again when they first find something."""

    def __init__(self, function: Callable[..., Any], calls: int = 2) -> None:
        self._function, self._calls = function, calls

    def __call__(self, *arguments: Any) -> Any:
        if not self._calls:
            return self._function(*arguments)
        self._calls -= 1
        with chatter_hidden():
            return self._function(*arguments)


def _points(landmarks: Any, image: Pixels) -> Landmarks:
    height, width = image.shape[:2]
    return np.array([(p.x * width, p.y * height, p.z * width) for p in landmarks], np.float64)


def _mediapipe() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with chatter_hidden():
        try:
            import mediapipe
        except ImportError as error:
            raise UserError(
                "finding faces needs mediapipe 0.10.21; install it: pip install mediapipe==0.10.21"
            ) from error
    return mediapipe
