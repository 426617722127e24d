from __future__ import annotations

import json
from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights.contents import Contents
from hallo_lit.weights.encoders import add_face_encoder, lacking_encoders, wave_settings, wave_shapes
from hallo_lit.weights.layouts import layouts

from . import configs
from .onnx_model import face_encoder

ARCFACE = "hallo_lit.components.face_encoder.arcface.ArcFace"


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


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (face_encoder(size=96), "but a face network from"),
        (face_encoder()[:-40], "is damaged"),
        (face_encoder(512), "face"),
    ],
)
def test_only_a_face_encoder_of_the_right_width_is_taken(tmp_path: Path, content: bytes, words: str) -> None:
    contents = Contents({"face_encoder": {"_target_": ARCFACE, "path": "elsewhere", "width": 4}})
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        add_face_encoder(path, contents)
    assert not contents.files
    path.write_bytes(face_encoder())
    add_face_encoder(path, contents)
    assert contents.files == {"face_encoder.onnx": path}
    assert contents.config["face_encoder"]["path"] == "bundle:face_encoder.onnx"


def test_encoders_whose_weights_were_not_given_are_missing() -> None:
    wave = {"_target_": "Wav2Vec2.from_folder", "folder": "elsewhere"}
    contents = Contents({"audio_encoder": wave, "face_encoder": {"_target_": "ConvFaceEncoder", "width": 8}})
    assert lacking_encoders(contents) == {"audio_encoder": "wav2vec2-base-960h"}
    assert contents.config["audio_encoder"]["folder"] == "bundle:audio_encoder"
    assert lacking_encoders(contents) == {}
