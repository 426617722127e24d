from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.metrics.identity import Identity
from hallo_lit.metrics.video import Video
from metrics.footage import clip, mesh


class Angle:
    """The brightness of a frame is the angle of its embedding, in degrees."""

    def __call__(self, image: np.ndarray, landmarks: np.ndarray) -> Tensor:
        angle = np.deg2rad(float(image[0, 0, 0]))
        return 7 * torch.tensor([np.cos(angle), np.sin(angle)])


def video(name: str, *angles: int, faces: list[bool] | None = None) -> Video:
    frames = np.array(angles, np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    landmarks = mesh(len(angles))
    landmarks[[not face for face in faces or [True] * len(angles)]] = np.nan
    return Video.from_arrays(name, frames, landmarks=landmarks)


def test_similarity_is_the_cosine_to_the_first_real_face():
    metric = Identity(Angle, stride=1)
    metric.update(video("a", 0, 60, 90), video("a", 200, 30, 100, faces=[False, True, True]))
    values = metric.report().values
    cosines = np.cos(np.deg2rad([30, 30, 60]))
    assert values["csim"] == pytest.approx(cosines.mean(), abs=1e-6)
    assert values["csim_lowest"] == pytest.approx(0.5, abs=1e-6)


def test_only_every_stride_th_frame_with_a_face_is_looked_at():
    metric = Identity(Angle, stride=2)
    metric.update(video("a", 0, 90, 60, 90, 90, faces=[True, True, True, True, False]), video("a", 0))
    assert metric.report().values["csim"] == pytest.approx((1 + 0.5) / 2, abs=1e-6)


def test_clips_without_truth_or_face_are_verdicts():
    metric = Identity(Angle)
    metric.update(video("alone", 0))
    metric.update(clip("blank", 3, landmarks=np.full((3, 478, 3), np.nan)), video("blank", 0))
    report = metric.report()
    assert report.counted == 0
    assert report.values == {}


def test_the_hash_of_the_encoders_file_is_reported(tmp_path: Path):
    path = tmp_path / "face.onnx"
    path.write_bytes(b"abc")
    weights = Identity(partial(FromFile, path=path)).report().weights
    assert list(weights) == ["face.onnx"]
    assert weights["face.onnx"].startswith("ba7816bf")


class FromFile(Angle):
    def __init__(self, path: Path) -> None:
        self.path = path


def test_an_encoder_without_weights_skips_this_metric_alone():
    def missing() -> Angle:
        raise UserError("Bring w600k_r50.onnx.")

    assert Identity(missing).report().skipped == "Identity was skipped. Bring w600k_r50.onnx."
    assert "metric.identity.encoder" in (Identity().report().skipped or "")
