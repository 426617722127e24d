"""The frozen public encoders inside a bundle: wav2vec 2.0 as a folder in its own layout, ArcFace as its ONNX file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.weights.contents import FACE, HERE, WAVE, Contents
from hallo_lit.weights.strict import Shape, shapes_of

WHERE = {WAVE: "folder", FACE: "path"}  # the keyword of each encoder that says where its weights are
KNOWN_AS = {WAVE: "wav2vec2-base-960h", FACE: "glintr100"}
FACE_FILE = "face_encoder.onnx"
WIDTH = 512  # of glintr100


def wave_shapes(settings: Mapping[str, Any] | None = None) -> dict[str, Shape]:
    """Keys of a wav2vec 2.0 encoder; without settings of wav2vec2-base-960h, whose sizes are the library's defaults."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    plain = {**(settings or {}), "mask_time_prob": 0.0, "mask_feature_prob": 0.0, "add_adapter": False}
    with torch.device("meta"):
        return shapes_of(Wav2Vec2Model(Wav2Vec2Config.from_dict(plain)))


def wave_settings(weights: Path) -> dict[str, Any]:
    """The config.json beside a wav2vec 2.0 file, or that of wav2vec2-base-960h where there is none.

    Raises:
        UserError: it is not a wav2vec 2.0 configuration.
    """
    path = weights.with_name("config.json")
    if not path.is_file():
        return {"model_type": "wav2vec2"}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON ({error}); download it again.") from error
    if not isinstance(settings, dict) or settings.get("model_type") != "wav2vec2":
        raise UserError(f"{path} does not describe wav2vec 2.0; keep {weights.name} beside its own config.json.")
    return settings


def add_wave_encoder(path: Path, settings: Mapping[str, Any], state: Mapping[str, Tensor], contents: Contents) -> None:
    """
    Raises:
        UserError: the configuration uses another audio encoder.
    """
    _point(contents, WAVE, path, f"{HERE}{WAVE}")
    contents.tensors[f"{WAVE}/model"] = state
    contents.texts[f"{WAVE}/config.json"] = json.dumps(settings, indent=2) + "\n"
    contents.lineage[WAVE] = (KNOWN_AS[WAVE],)


def add_face_encoder(path: Path, contents: Contents) -> None:
    """
    Raises:
        UserError: the ONNX file is damaged or embeds no faces, or the configuration uses another face encoder.
    """
    _point(contents, FACE, path, f"{HERE}{FACE_FILE}")
    from hallo_lit.components.face_encoder.arcface import ArcFace

    ArcFace(path, contents.config[FACE].get("width", WIDTH))
    contents.files[FACE_FILE] = path
    contents.lineage[FACE] = (KNOWN_AS[FACE],)
    contents.note_input(path)


def lacking_encoders(contents: Contents) -> dict[str, str]:
    """Encoders whose public weights the configuration wants and the bundle does not have; it is made to say so."""
    missing: dict[str, str] = {}
    for name, key in WHERE.items():
        entry = contents.config.get(name)
        if isinstance(entry, Mapping) and key in entry and not str(entry[key]).startswith(HERE):
            _point(contents, name, None, f"{HERE}{WAVE if name == WAVE else FACE_FILE}")
            missing[name] = KNOWN_AS[name]
    return missing


def _point(contents: Contents, name: str, path: Path | None, place: str) -> None:
    entry = contents.config.get(name)
    key = WHERE[name]
    if not isinstance(entry, Mapping) or key not in entry:
        raise UserError(
            f"{path} is {KNOWN_AS[name]}, which this configuration has no use for; leave it out, "
            f"or choose a configuration whose {name} reads it."
        )
    contents.config = {**contents.config, name: {**entry, key: place}}
