"""What goes into a bundle before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from hallo_lit.weights.index import sha256

CONFIG = "config.yaml"
HERE = "bundle:"  # in a bundle's configuration: what follows is a file or folder of the bundle
MODEL = "model"
WAVE = "audio_encoder"
FACE = "face_encoder"
ENCODERS = (WAVE, FACE)


@dataclass
class Contents:
    """config: resolved; tensors: file stem -> state dict; files: name -> a file to copy whole; texts: name -> text;
    lineage: part -> keys of `licences.LICENCES`; inputs: name of a file this was made from -> its SHA-256; notes:
    Markdown for the model card, such as how the weights were trained and what they reach."""

    config: Mapping[str, Any]
    tensors: dict[str, Mapping[str, Tensor]] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    lineage: dict[str, Sequence[str]] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    notes: str = ""

    def note_input(self, path: Path) -> None:
        """Records the hash of a file this was made from, under its name, or with its folder where names repeat."""
        name = path.name if path.name not in self.inputs else f"{path.parent.name}/{path.name}"
        self.inputs[name] = sha256(path)
