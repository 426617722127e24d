"""A bundle: one folder with everything a trained model is, readable by whoever trusts nothing but this package.

config.yaml            resolved configuration; `bundle:NAME` in it means a file or folder of the bundle
denoiser.safetensors   one file per part of the model, and one per encoder that is ours
audio_encoder/         wav2vec 2.0 in its own layout, where it is used; face_encoder.onnx likewise
README.md  LICENSES    model card, terms part by part
SHA256SUMS             hash of every other file
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from hallo_lit.errors import UserError
from hallo_lit.factory import OWN, build
from hallo_lit.weights.contents import CONFIG, ENCODERS, HERE, MODEL, Contents
from hallo_lit.weights.hub import local_folder
from hallo_lit.weights.index import INDEX, read_index, safe_name, sha256, verify
from hallo_lit.weights.reading import read_state
from hallo_lit.weights.strict import load_strictly
from hallo_lit.weights.trust import check_targets
from hallo_lit.weights.writing import write_bundle


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle. config: as in its file; digest: hash of the index, so of all of it."""

    folder: Path
    config: dict[str, Any]
    model: nn.Module
    audio_encoder: Any
    face_encoder: Any
    digest: str


def save_bundle(
    folder: Path,
    model: nn.Module,
    config: Mapping[str, Any],
    encoders: Mapping[str, nn.Module] | None = None,
    lineage: Mapping[str, Sequence[str]] | None = None,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
    notes: str = "",
) -> Path:
    """A trained model as a bundle. config: resolved, with at least `model`; encoders: `audio_encoder` or `face_encoder`
    modules whose weights are ours (public ones are named in the configuration); lineage: part -> keys of
    `licences.LICENCES`, by default this project's own; notes: Markdown for its model card.

    Raises:
        UserError: see `write_bundle`.
    """
    states: dict[str, Mapping[str, Tensor]] = {name: part.state_dict() for name, part in model.named_children()}
    states |= {name: made.state_dict() for name, made in (encoders or {}).items() if made.state_dict()}
    terms: dict[str, Sequence[str]] = {name: (lineage or {}).get(name, ("hallo_lit",)) for name in states}
    return write_bundle(Path(folder), Contents(config, states, lineage=terms, notes=notes), dtype, overwrite)


def open_bundle(
    where: str | Path, check: bool = True, trust: Sequence[str] = OWN
) -> tuple[Path, dict[str, Any], dict[str, str]]:
    """Folder, configuration and index, without building anything; `check` compares every hash.

    Raises:
        UserError: no such bundle, a file is missing or altered, or its configuration names code outside `trust`.
    """
    folder = local_folder(where)
    index = read_index(folder)
    if check:
        verify(folder, index)
    if CONFIG not in index:
        raise UserError(f"Bundle {folder} has no {CONFIG}; get the bundle again.")
    try:
        config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{folder / CONFIG} is not readable YAML; get the bundle again.") from error
    if not isinstance(config, dict) or MODEL not in config:
        raise UserError(f"{folder / CONFIG} describes no model; get the bundle again.")
    check_targets(config, trust)
    return folder, config, index


def load_bundle(
    where: str | Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    check: bool = True,
    trust: Sequence[str] = OWN,
) -> Bundle:
    """The model in evaluation mode on `device`, and its encoders on the CPU; `where` is a folder or a hub id.

    Raises:
        UserError: no such bundle, a part is missing or altered, its configuration names code outside `trust`, or its
            weights do not fit it.
    """
    folder, config, index = open_bundle(where, check, trust)
    model = fill_model(folder, config, index, dtype, trust)
    wave, face = (load_encoder(name, folder, config, index, trust) for name in ENCODERS)
    return Bundle(folder, config, model.to(device).eval(), wave, face, sha256(folder / INDEX))


def fill_model(
    folder: Path, config: Mapping[str, Any], index: Mapping[str, str], dtype: torch.dtype, trust: Sequence[str] = OWN
) -> nn.Module:
    """The model alone; weights that already have `dtype` stay in the files and are paged in as they are used.

    Raises:
        UserError: a part has no file, or its file does not fit it.
    """
    with torch.device("meta"):
        model: nn.Module = build(inside(config[MODEL], folder), trust)
    parts = [name for name, _ in model.named_children()]
    lacking = [name for name in parts if f"{name}.safetensors" not in index]
    if lacking:
        raise UserError(
            f"Bundle {folder} is incomplete: it has no {', '.join(lacking)}; import the files that hold it."
        )
    _load_parts(model, folder, dtype)
    if any(tensor.is_meta for tensor in chain(model.parameters(), model.buffers())):  # buffers no state dict holds
        model = build(inside(config[MODEL], folder), trust).to(dtype)
        _load_parts(model, folder, dtype)
    return model


def _load_parts(model: nn.Module, folder: Path, dtype: torch.dtype) -> None:
    for name, part in model.named_children():
        path = folder / f"{name}.safetensors"
        state = {key: t.to(dtype) if t.is_floating_point() else t for key, t in read_state(path).items()}
        load_strictly(part, state, str(path))


def load_encoder(
    name: str, folder: Path, config: Mapping[str, Any], index: Mapping[str, str], trust: Sequence[str] = OWN
) -> Any:
    """The encoder `name`, on the CPU, or None where the bundle has none.

    Raises:
        UserError: its configuration names code outside `trust`, or its file does not fit it.
    """
    if config.get(name) is None:
        return None
    made = build(inside(config[name], folder), trust)
    file = f"{name}.safetensors"
    if isinstance(made, nn.Module) and file in index:
        load_strictly(made, read_state(folder / file), str(folder / file))
        made.eval()
    return made


def inside(value: Any, folder: Path) -> Any:
    """Turns every `bundle:NAME` into a path below `folder`.

    Raises:
        UserError: it points out of the bundle, or to nothing.
    """
    if isinstance(value, Mapping):
        return {key: inside(entry, folder) for key, entry in value.items()}
    if isinstance(value, list):
        return [inside(entry, folder) for entry in value]
    if isinstance(value, str) and value.startswith(HERE):
        path = folder / safe_name(value.removeprefix(HERE), folder / CONFIG)
        if not path.exists():
            raise UserError(f"Bundle {folder} is incomplete: it has no {path.name}; import again with that file.")
        return str(path)
    return value
