"""The small convolutional face encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hallo_lit.components.face_encoder.base import FaceEncoder
from hallo_lit.components.face_encoder.conv import ConvFaceEncoder
from hallo_lit.errors import UserError

from .faces import apply, landmarks, transform


def tiny(seed: int = 0, size: int = 32) -> ConvFaceEncoder:
    return ConvFaceEncoder(width=24, size=size, channels=(8, 16, 16), seed=seed)


def painted(matrix: np.ndarray, colours: int) -> np.ndarray:
    """A photo of smooth colour waves that move with the face."""
    y, x = np.mgrid[0:700, 0:700]
    linear = np.linalg.inv(matrix[:, :2])
    u, v = apply(np.column_stack([linear, -linear @ matrix[:, 2]]), np.stack([x, y], -1)).transpose(2, 0, 1)
    waves = np.random.default_rng(colours).uniform(-0.1, 0.1, (3, 2))
    return np.stack([127 + 120 * np.sin(a * u + b * v) for a, b in waves], -1).astype(np.uint8)


def test_it_follows_the_face_and_tells_faces_apart() -> None:
    encoder: FaceEncoder = ConvFaceEncoder(width=64)
    here, there = transform(2.0, 0.0, (200.0, 200.0)), transform(3.5, 25.0, (250.0, 60.0))
    first = encoder(painted(here, 1), landmarks(here))
    moved = encoder(painted(there, 1), landmarks(there))
    other = encoder(painted(here, 2), landmarks(here))
    assert first.shape == (encoder.width,) == (64,)
    assert first.device.type == "cpu"
    assert not first.requires_grad
    assert (first - moved).norm() < 0.05 * (first - other).norm()


def test_weights_come_from_the_seed() -> None:
    faces = torch.randn(2, 3, 32, 32)
    assert torch.equal(tiny(3).embed(faces), tiny(3).embed(faces))
    assert not torch.allclose(tiny(3).embed(faces), tiny(4).embed(faces))
    copy = tiny(5)
    copy.load_state_dict(tiny(3).state_dict())
    assert torch.equal(copy.embed(faces), tiny(3).embed(faces))


def test_weights_come_from_a_file(tmp_path: Path) -> None:
    path, small = tmp_path / "faces.safetensors", {"width": 24, "size": 32, "channels": (8, 16, 16)}
    save_file(tiny(7).state_dict(), path)
    faces = torch.randn(2, 3, 32, 32)
    assert torch.equal(ConvFaceEncoder(**small, weights=path).embed(faces), tiny(7).embed(faces))
    with pytest.raises(UserError, match=r"faces\.safetensors does not hold the weights of this ConvFaceEncoder"):
        ConvFaceEncoder(weights=path)
    with pytest.raises(UserError, match=r"face_encoder\.weights=.*none cannot be read"):
        ConvFaceEncoder(weights=tmp_path / "none")


@pytest.mark.parametrize("size", [16, 32, 112])
def test_training_reaches_every_weight_and_mode_changes_nothing(size: int) -> None:
    encoder, faces = tiny(size=size), torch.randn(2, 3, size, size)
    out = encoder.train().embed(faces)
    assert out.shape == (2, 24)
    out.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())
    assert torch.equal(encoder.eval().embed(faces), out)


def test_prepared_faces_are_what_the_call_embeds() -> None:
    encoder, matrix = tiny(), transform(2.0, 0.0, (200.0, 200.0))
    photo, points = painted(matrix, 1), landmarks(matrix)
    face = encoder.prepare(photo, points)
    assert face.shape == (3, 32, 32)
    assert -1 <= face.min() < face.max() <= 1
    assert torch.equal(encoder.embed(face[None])[0], encoder(photo, points))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        tiny(size=30)
    with pytest.raises(UserError, match="larger face"):
        tiny()(np.zeros((50, 50, 3), np.uint8), np.zeros((478, 2)))
