"""Public and foreign weight files in, one bundle out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.weights.check import meta_networks, recognised
from hallo_lit.weights.contents import FACE, MODEL, WAVE, Contents
from hallo_lit.weights.encoders import (
    KNOWN_AS,
    add_face_encoder,
    add_wave_encoder,
    lacking_encoders,
    wave_settings,
    wave_shapes,
)
from hallo_lit.weights.matching import Match, Networks, match
from hallo_lit.weights.places import expand
from hallo_lit.weights.positions import check_positions
from hallo_lit.weights.reading import read_state, sniff
from hallo_lit.weights.storage import check_place
from hallo_lit.weights.strict import KeyMismatch, KeyReport, compare, shapes_of
from hallo_lit.weights.writing import write_bundle

NEEDS = {"codec": "sd-vae-ft-mse"}
OTHERWISE = "hallo"  # holds every other part


@dataclass
class Found:
    """What one file turned out to be."""

    path: Path
    title: str
    keys: int
    parts: list[str]
    dropped: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Imported:
    """missing: part -> the public weights (a name of `known.KNOWN`) that hold it; empty means ready for `animate`.
    fresh: keys that no file gave and that were initialised on purpose."""

    folder: Path
    found: list[Found]
    missing: dict[str, str]
    fresh: list[str]


def import_weights(
    files: Sequence[Path],
    out: Path,
    config: Mapping[str, Any],
    dtype: torch.dtype | None = None,
    fresh: Sequence[str] = (),
    overwrite: bool = False,
) -> Imported:
    """Recognises each file by its content, fills the model of `config` strictly, and writes the bundle `out`.

    files: also folders, see `expand`. config: resolved, with `model` and, for `animate`, `audio_encoder` and
    `face_encoder`. dtype: of the model, as in the files by default. fresh: patterns (`denoiser.*.audio.*`) of keys that
    may start untrained, for training; they are initialised from torch's global random state. Tensors go from file to
    file, mapped.

    Raises:
        UserError: a file cannot be read or is of no known kind.
        KeyMismatch: keys are unexpected, misshapen, or missing from a part that the files fill only in part.
    """
    check_place(Path(out), overwrite)
    kinds = {path: sniff(path) for path in expand([Path(file) for file in files])}
    networks = {name: shapes_of(part) for name, part in meta_networks(config).items()}
    contents = Contents(config)
    found: list[Found] = []
    matches: list[Match] = []
    for path, kind in kinds.items():
        if kind == "onnx":
            add_face_encoder(path, contents)
            found.append(Found(path, "a face encoder", 0, [FACE]))
            continue
        made = take(path, networks, contents)
        matches.append(made)
        found.append(Found(path, made.source.title, made.keys, list(made.parts), made.dropped))
        contents.note_input(path)
    fill(contents, networks, matches)
    started = start_fresh(contents, networks, fresh)
    missing = finish(contents, networks)
    return Imported(write_bundle(Path(out), contents, dtype, overwrite), found, missing, started)


def take(path: Path, networks: Networks, contents: Contents) -> Match:
    """Reads, recognises and renames one file; a wav2vec 2.0 encoder goes into `contents` at once.

    Raises:
        UserError, KeyMismatch: see `import_weights`.
    """
    state = read_state(path)
    source = recognised(path, state)
    wave = wave_settings(path) if source.name == KNOWN_AS[WAVE] else None
    places: Networks = networks if wave is None else {WAVE: wave_shapes(wave)}
    made = match(source, state, places)
    if not made.parts:
        raise UserError(f"{path} is {source.title}, which this model has no place for; leave it out.")
    report = made.report(places, complete=wave is not None)
    if not report.fits:
        raise KeyMismatch(str(path), "this model", report)
    check_positions(made, path)
    if wave is not None:
        add_wave_encoder(path, wave, made.parts[WAVE].state, contents)
    return made


def fill(contents: Contents, networks: Networks, matches: Sequence[Match]) -> None:
    """Joins what the files gave for each part, the more specific kind of file last."""
    for made in sorted(matches, key=lambda made: made.source.rank):
        for part in made.parts:
            if part not in networks:
                continue
            contents.tensors[part] = {**contents.tensors.get(part, {}), **made.parts[part].state}
            before = () if made.source.rank > 1 else contents.lineage.get(part, ())
            contents.lineage[part] = tuple(dict.fromkeys((*made.terms[part], *before)))


def start_fresh(contents: Contents, networks: Networks, fresh: Sequence[str]) -> list[str]:
    """Initialises the keys that no file gave and that a pattern of `fresh` names; returns them."""
    wanted = {
        f"{part}.{key}": (part, key)
        for part, keys in networks.items()
        for key in keys
        if key not in contents.tensors.get(part, {}) and any(fnmatchcase(f"{part}.{key}", pattern) for pattern in fresh)
    }
    if wanted:
        model: nn.Module = build(contents.config[MODEL])
        untrained: Mapping[str, Tensor] = model.state_dict()
        for name, (part, key) in wanted.items():
            contents.tensors[part] = {**contents.tensors.get(part, {}), key: untrained[name]}
            contents.lineage.setdefault(part, ("hallo_lit",))
    return list(wanted)


def finish(contents: Contents, networks: Networks) -> dict[str, str]:
    """What is still missing for `animate`; parts no file knew are left out of the bundle.

    Raises:
        KeyMismatch: a part is filled only in part.
    """
    report = KeyReport()
    for part, state in contents.tensors.items():
        if part in networks:
            given = {key: tuple(tensor.shape) for key, tensor in state.items()}
            report.missing += [f"{part}.{key}" for key in compare(given, networks[part]).missing]
    if report.missing:
        raise KeyMismatch("What the given files hold together", "this model", report)
    missing = {part: NEEDS.get(part, OTHERWISE) for part in networks if part not in contents.tensors}
    if len(missing) == len(networks) and not contents.tensors and not contents.files:
        raise UserError("None of the given files holds a part of this model; see `hallo-lit weights list`.")
    return {**missing, **lacking_encoders(contents)}
