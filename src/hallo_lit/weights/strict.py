"""Strict comparison and loading: every key that does not fit is listed by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from hallo_lit.errors import UserError

Shape = tuple[int, ...]
SHOWN = 4


@dataclass(frozen=True)
class Misshapen:
    name: str
    given: Shape
    wanted: Shape

    def __str__(self) -> str:
        return f"{self.name} is {_by(self.given)} instead of {_by(self.wanted)}"


@dataclass
class KeyReport:
    """What does not fit, complete; `str` gives one sentence that names a few of each kind."""

    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    misshapen: list[Misshapen] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        return not (self.missing or self.unexpected or self.misshapen)

    def __str__(self) -> str:
        kinds: tuple[tuple[str, Sequence[object]], ...] = (
            ("missing", self.missing),
            ("unexpected", self.unexpected),
            ("misshapen", self.misshapen),
        )
        return "; ".join(f"{len(found)} {kind} ({_some(found)})" for kind, found in kinds if found) or "all keys fit"

    def lines(self) -> list[str]:
        """Every name, one a line."""
        return [
            *(f"missing     {name}" for name in self.missing),
            *(f"unexpected  {name}" for name in self.unexpected),
            *(f"misshapen   {item}" for item in self.misshapen),
        ]


class KeyMismatch(UserError):
    """Weights that do not fit a network; `report` holds every name."""

    def __init__(self, where: str, network: str, report: KeyReport) -> None:
        super().__init__(
            f"{where} does not fit {network}: {report}; use the weights this configuration was made for, "
            f"or the configuration of these weights."
        )
        self.report = report


def shapes_of(network: nn.Module) -> dict[str, Shape]:
    """Names and shapes of everything a network's state dict holds."""
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def compare(
    given: Mapping[str, Shape], wanted: Mapping[str, Shape], origin: Mapping[str, str] | None = None
) -> KeyReport:
    """`origin` turns our names into the file's, so that the report speaks of what the user can look up."""
    origin = origin or {}
    return KeyReport(
        missing=[name for name in wanted if name not in given],
        unexpected=[origin.get(name, name) for name in given if name not in wanted],
        misshapen=[
            Misshapen(origin.get(name, name), tuple(shape), tuple(wanted[name]))
            for name, shape in given.items()
            if name in wanted and tuple(shape) != tuple(wanted[name])
        ],
    )


def load_strictly(
    network: nn.Module, state: Mapping[str, Tensor], where: str, origin: Mapping[str, str] | None = None
) -> None:
    """Fills every parameter and buffer; a network on the meta device takes the tensors themselves, without a copy.

    Raises:
        KeyMismatch: a key is missing, unexpected or misshapen; the network is left as it was.
    """
    report = compare({name: tuple(tensor.shape) for name, tensor in state.items()}, shapes_of(network), origin)
    if not report.fits:
        raise KeyMismatch(where, type(network).__name__, report)
    empty = any(tensor.device.type == "meta" for tensor in network.state_dict().values())
    with torch.no_grad():
        network.load_state_dict(dict(state), strict=True, assign=empty)


def _by(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "a scalar"


def _some(found: Sequence[object]) -> str:
    shown = ", ".join(map(str, found[:SHOWN]))
    return shown if len(found) <= SHOWN else f"{shown}, and {len(found) - SHOWN} more"
