"""Writes a bundle folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml

from hallo_lit import __version__
from hallo_lit.errors import UserError
from hallo_lit.weights.card import CARD, LICENCES_FILE, licences_text, model_card
from hallo_lit.weights.contents import CONFIG, ENCODERS, Contents
from hallo_lit.weights.index import safe_name, write_index
from hallo_lit.weights.storage import new_folder, save_tensors


def write_bundle(folder: Path, contents: Contents, dtype: torch.dtype | None = None, overwrite: bool = False) -> Path:
    """Writes a bundle whole or not at all; `dtype` of the model's tensors, by default as they are (encoders always).

    Raises:
        UserError: the folder is in the way or cannot be written, a tensor is not finite, the configuration not plain.
    """
    config = yaml.safe_dump(plain(contents.config), sort_keys=False, allow_unicode=True)
    with new_folder(folder, overwrite) as part:
        sizes: dict[str, int] = {}
        for stem, state in contents.tensors.items():
            owner = stem.split("/")[0]
            metadata = {"part": stem, "licences": " ".join(contents.lineage.get(owner, ()))}
            kind = None if owner in ENCODERS else dtype
            sizes[owner] = save_tensors(_place(part, f"{stem}.safetensors"), state, kind, metadata)
        for name, source in contents.files.items():
            shutil.copyfile(source, _place(part, name))
        texts = {
            **contents.texts,
            CONFIG: f"# hallo_lit {__version__}\n{config}",
            CARD: model_card(folder.name, sizes, contents.lineage, contents.inputs, contents.notes),
            LICENCES_FILE: licences_text(contents.lineage),
        }
        for name, text in texts.items():
            _place(part, name).write_text(text, encoding="utf-8")
        write_index(part, [path.relative_to(part).as_posix() for path in part.rglob("*") if path.is_file()])
    return folder


def _place(part: Path, name: str) -> Path:
    path = part / safe_name(name, part)
    path.parent.mkdir(exist_ok=True)
    return path


def plain(value: Any) -> Any:
    """Mappings, lists, strings, numbers, booleans and None only.

    Raises:
        UserError: anything else.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise UserError(
        f"A bundle's configuration holds plain values only, and not a {type(value).__name__}: {value!r:.80}."
    )
