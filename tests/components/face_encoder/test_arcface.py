"""ArcFace's plumbing with a linear network of our own in the place of the published one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from hallo_lit.components.face_encoder.alignment import aligned_face
from hallo_lit.components.face_encoder.arcface import ArcFace, _providers
from hallo_lit.components.face_encoder.base import FaceEncoder
from hallo_lit.errors import UserError

from .faces import landmarks, ramp, transform
from .onnx_bytes import linear_network

WEIGHT = np.random.default_rng(0).normal(0, 0.03, (3 * 112 * 112, 5)).astype(np.float32)
POINTS = landmarks(transform(2.0, 10.0, (200.0, 150.0)))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faces") / "tiny net.onnx"
    path.write_bytes(linear_network(WEIGHT))
    return path


def test_the_embedding_is_the_networks_own(network: Path) -> None:
    encoder: FaceEncoder = ArcFace(network, width=5)
    photo = ramp(600, 700)
    found = encoder(photo, POINTS)
    face = aligned_face(photo, POINTS, antialias=False)
    expected = ((face.astype(np.float64) - 127.5) / 127.5).transpose(2, 0, 1).ravel() @ WEIGHT
    assert found.shape == (encoder.width,) == (5,)
    assert found.dtype == torch.float32
    assert np.allclose(found.numpy(), expected, atol=1e-4)
    assert abs(float(found.norm()) - 1) > 0.1  # raw, not normalised
    mirrored = encoder(photo[..., ::-1].copy(), POINTS)
    assert not torch.allclose(found, mirrored, atol=1e-2)  # RGB order matters


def test_files_that_are_no_face_network_are_refused(network: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no face network .*absent.onnx.*face_encoder=conv"):
        ArcFace(tmp_path / "absent.onnx")
    with pytest.raises(UserError, match="no face network"):
        ArcFace(tmp_path)
    path = tmp_path / "net.onnx"
    for content in (b"", b"garbage", network.read_bytes()[:-500], network.read_bytes()[:40]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"net\.onnx is damaged or not an ONNX network"):
            ArcFace(path, width=5)
    with pytest.raises(UserError, match=r"\(n, 512\) is needed"):
        ArcFace(network)
    path.write_bytes(linear_network(WEIGHT[: 3 * 64 * 64], side=64))
    with pytest.raises(UserError, match=r"\(n, 3, 112, 112\)"):
        ArcFace(path, width=5)


def test_devices(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ArcFace(network, 5, "cpu").device == "cpu"
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert ArcFace(network, 5, "auto").device == "cpu"
    with pytest.raises(UserError, match="no CUDA support"):
        ArcFace(network, 5, "cuda:0")
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert _providers("cuda:1", both) == [("CUDAExecutionProvider", {"device_id": 1}), "CPUExecutionProvider"]
    assert _providers("auto", both)[0] == ("CUDAExecutionProvider", {"device_id": 0})
    for device in ("tpu", "cuda:x"):
        with pytest.raises(UserError, match="is not one of"):
            ArcFace(network, 5, device)
