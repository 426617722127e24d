"""Brings a recognised file and our networks together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from hallo_lit.weights.formats import Source, depth
from hallo_lit.weights.keymap import Converted, Format, convert
from hallo_lit.weights.strict import KeyReport, Shape, compare, load_strictly, shapes_of

Networks = Mapping[str, Mapping[str, Shape]]  # part -> key -> shape


@dataclass
class Match:
    """A file's tensors by part of ours.

    elsewhere: keys that belong to no part of this kind of file; absent: its parts that this model does without.
    """

    source: Source
    keys: int
    parts: dict[str, Converted] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    terms: dict[str, tuple[str, ...]] = field(default_factory=dict)  # part -> licences

    def report(self, networks: Networks, complete: bool = True) -> KeyReport:
        """All parts together, our names with the part in front; `complete=False` allows a file that fills only some."""
        total = KeyReport(unexpected=list(self.elsewhere))
        for name, made in self.parts.items():
            shapes = {key: tuple(tensor.shape) for key, tensor in made.state.items()}
            found = compare(shapes, networks.get(name, {}), made.origin)
            total.missing += [f"{name}.{key}" for key in found.missing] if complete else []
            total.unexpected += found.unexpected
            total.misshapen += found.misshapen
        return total

    @property
    def dropped(self) -> dict[str, list[str]]:
        """why -> the file's keys that no part of ours took."""
        lost: dict[str, list[str]] = {}
        for made in self.parts.values():
            for key, why in made.dropped.items():
                if not any(key in other.origin.values() for other in self.parts.values()):
                    lost.setdefault(why, []).append(key)
        return lost


def match(source: Source, state: Mapping[str, Tensor], networks: Networks) -> Match:
    """Renames everything in a file of a known kind; nothing is copied.

    Raises:
        UserError: see `convert`.
    """
    parts = source.parts(*depth(state))
    made = Match(source, len(state))
    made.elsewhere = [key for key in state if not any(key.startswith(part.prefix) for part in parts)]
    for part in parts:
        inside = {key.removeprefix(part.prefix): t for key, t in state.items() if key.startswith(part.prefix)}
        if part.name not in networks:
            made.absent.append(part.name)
            continue
        found = convert(inside, part.fmt, networks[part.name])
        found.origin = {ours: part.prefix + theirs for ours, theirs in found.origin.items()}
        found.dropped = {part.prefix + theirs: why for theirs, why in found.dropped.items()}
        made.parts[part.name], made.terms[part.name] = found, part.terms
    return made


def load_foreign(network: nn.Module, state: Mapping[str, Tensor], fmt: Format, where: str) -> Converted:
    """Fills one network from one foreign state dict, strictly; returns what became of its keys.

    Raises:
        KeyMismatch: a key is missing, unexpected or misshapen.
    """
    made = convert(state, fmt, shapes_of(network))
    load_strictly(network, made.state, where, made.origin)
    return made
