"""MediaPipe's own models, run for real."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from hallo_lit.errors import UserError
from hallo_lit.faces.measures import face_box
from hallo_lit.faces.mediapipe_models import FaceFinder, FaceLandmarker, FaceMesh


@pytest.fixture(scope="module")
def task_file(tmp_path_factory) -> Path:
    """A task in the form of the original's, from models that come with mediapipe: it runs, its points mean nothing."""
    import mediapipe

    modules = Path(mediapipe.__file__).parent / "modules"
    path = tmp_path_factory.mktemp("task") / "face landmarker.task"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(modules / "face_detection" / "face_detection_short_range.tflite", "face_detector.tflite")
        archive.write(modules / "face_landmark" / "face_landmark.tflite", "face_landmarks_detector.tflite")
    return path


@pytest.mark.parametrize("static", [True, False])
def test_a_task_runs(task_file, portrait, static):
    model = FaceLandmarker(task_file, static, 2)
    for _ in range(3):
        faces = model(portrait)
        assert faces
        assert {face.shape for face in faces} == {(478, 3)}
        assert np.isfinite(faces).all()
    assert model(np.zeros_like(portrait)) == [] or not static
    model.close()


def test_a_task_of_other_models_is_refused(task_file, tmp_path, portrait):
    import mediapipe

    other = Path(mediapipe.__file__).parent / "modules" / "face_landmark" / "face_landmark_with_attention.tflite"
    with zipfile.ZipFile(task_file) as good, zipfile.ZipFile(tmp_path / "bad.task", "w") as bad:
        bad.writestr("face_detector.tflite", good.read("face_detector.tflite"))
        bad.write(other, "face_landmarks_detector.tflite")
    model = FaceLandmarker(tmp_path / "bad.task", True, 1)
    with pytest.raises(UserError, match="is not a face landmarker model"):
        model(portrait)
    model.close()


def test_the_task_file_is_asked_for(tmp_path):
    for path, pattern in ((None, "no task_file is set"), (tmp_path / "none.task", "does not exist")):
        with pytest.raises(UserError, match=pattern) as caught:
            FaceLandmarker(path, True, 1)
        assert "https://storage.googleapis.com/mediapipe-models/" in str(caught.value)
    (tmp_path / "bad.task").write_bytes(b"not a model")
    with pytest.raises(UserError, match="is not a face landmarker model"):
        FaceLandmarker(tmp_path / "bad.task", True, 1)


def test_mesh_and_finder_see_the_same_face(portrait, found):
    mesh, finder = FaceMesh(True, 1), FaceFinder()
    (face,), (box,) = mesh(portrait), finder(portrait)
    mesh.close()
    finder.close()
    np.testing.assert_allclose(face_box(face), face_box(found), atol=4)
    np.testing.assert_allclose(box, face_box(found), atol=25)
