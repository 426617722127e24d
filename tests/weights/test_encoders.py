from __future__ import annotations

import json
from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights.encoders import check_face_encoder, wave_settings, wave_shapes
from hallo_lit.weights.layouts import layouts

from . import configs
from .onnx_model import face_encoder


def test_the_librarys_defaults_are_the_published_encoder() -> None:
    published = layouts()["wav2vec2-base-960h"]
    shapes = wave_shapes()
    assert len(shapes) == len(published) - 3
    assert shapes["encoder.layers.11.attention.k_proj.weight"] == (768, 768)
    assert wave_shapes(configs.WAVE)["feature_projection.projection.weight"] == (16, 8)


def test_settings_beside_the_weights_are_read(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    assert wave_settings(weights) == {"model_type": "wav2vec2"}
    (tmp_path / "config.json").write_text(json.dumps(configs.WAVE))
    assert wave_settings(weights) == configs.WAVE


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "cannot be read as JSON"), ("{}", "does not describe"), ('{"model_type": "bert"}', "does not")],
)
def test_settings_of_something_else_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match=words):
        wave_settings(tmp_path / "model.safetensors")


def test_only_a_face_encoder_is_one(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(face_encoder())
    check_face_encoder(path)
    path.write_bytes(face_encoder(size=96))
    with pytest.raises(UserError, match=r"a face encoder takes \(n, 3, 112, 112\)"):
        check_face_encoder(path)
    path.write_bytes(face_encoder()[:-40])
    with pytest.raises(UserError, match=r"x\.onnx is damaged"):
        check_face_encoder(path)
