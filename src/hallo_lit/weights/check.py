"""Proves without computing anything that weights and networks belong together, key by key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.weights.bundle import inside, open_bundle
from hallo_lit.weights.contents import MODEL, WAVE
from hallo_lit.weights.encoders import wave_shapes
from hallo_lit.weights.formats import ELSEWHERE, SOURCES, Source, recognise
from hallo_lit.weights.layouts import layouts
from hallo_lit.weights.matching import Match, match
from hallo_lit.weights.reading import read_state
from hallo_lit.weights.strict import KeyReport, Shape, compare, shapes_of

COMPLETE = ("hallo", "sd-vae-ft-mse", "wav2vec2-base-960h")  # sources that fill their parts to the last key


@dataclass
class Checked:
    """One source against the networks: `mapped` keys have a place, `dropped` ones are lost for the reason given."""

    title: str
    keys: int
    mapped: int
    dropped: dict[str, list[str]]
    report: KeyReport
    parts: list[str] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        return self.report.fits and self.mapped + sum(map(len, self.dropped.values())) == self.keys


def meta_networks(config: Mapping[str, Any]) -> dict[str, nn.Module]:
    """The parts of the model a configuration describes, without memory for their weights.

    Raises:
        UserError: the configuration has no model, or it does not build.
    """
    if MODEL not in config:
        raise UserError("The configuration has no `model`; give the one that these weights belong to.")
    with torch.device("meta"):
        model: nn.Module = build(config[MODEL])
    return dict(model.named_children())


def networks_of(config: Mapping[str, Any]) -> dict[str, dict[str, Shape]]:
    """part -> key -> shape, for the model's parts and for wav2vec 2.0."""
    shapes = {name: shapes_of(part) for name, part in meta_networks(config).items()}
    return {**shapes, WAVE: wave_shapes()}


def check_layouts(networks: Mapping[str, Mapping[str, Shape]]) -> list[Checked]:
    """Every published checkpoint at release size against `networks`."""
    by_name = {source.name: source for source in SOURCES}
    return [
        checked(by_name[name], {key: torch.empty(shape, device="meta") for key, shape in keys.items()}, networks)
        for name, keys in layouts().items()
    ]


def check_file(path: Path, networks: Mapping[str, Mapping[str, Shape]]) -> Checked:
    """
    Raises:
        UserError: the file cannot be read, or is of no known kind.
    """
    state = read_state(path)
    return checked(recognised(path, state), state, networks)


def check_bundle(where: str | Path) -> list[Checked]:
    """A bundle's files, whole and by hash, and its tensors against its own configuration; nothing is loaded.

    Raises:
        UserError: no such bundle, or it is altered.
    """
    folder, config, index = open_bundle(where)
    results = []
    for name, part in meta_networks({**config, MODEL: inside(config[MODEL], folder)}).items():
        path = folder / f"{name}.safetensors"
        state = read_state(path) if path.name in index else {}
        report = compare({key: tuple(tensor.shape) for key, tensor in state.items()}, shapes_of(part))
        results.append(Checked(name, len(state), len(state) - len(report.unexpected), {}, report, [name]))
    return results


def recognised(path: Path, state: Mapping[str, Tensor]) -> Source:
    """
    Raises:
        UserError: no table fits the keys; the sentence says what they look like.
    """
    source = recognise(state)
    if source is not None:
        return source
    for pattern, what in ELSEWHERE:
        if any(re.search(pattern, name) for name in state):
            raise UserError(f"{path} is {what}.")
    some = ", ".join(list(state)[:3])
    raise UserError(
        f"{path} holds {len(state)} tensors of no kind known here ({some}); it reads: "
        f"{', '.join(source.title for source in SOURCES)}."
    )


def checked(source: Source, state: Mapping[str, Tensor], networks: Mapping[str, Mapping[str, Shape]]) -> Checked:
    made: Match = match(source, state, networks)
    placed = {key for part in made.parts.values() for key in part.origin.values()}
    return Checked(
        source.title,
        len(state),
        len(placed),
        made.dropped,
        made.report(networks, complete=source.name in COMPLETE),
        list(made.parts),
    )
