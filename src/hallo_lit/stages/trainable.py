"""Which parameters train: patterns over their names, and a table that shows what the patterns caught."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from hallo_lit.errors import UserError

FROZEN = "(frozen)"


@dataclass(frozen=True)
class Group:
    """The parameters that one pattern caught, by name."""

    pattern: str
    names: tuple[str, ...]
    count: int  # values


def select(network: nn.Module, patterns: Sequence[str], idle: Collection[str] = ()) -> list[Group]:
    """Makes exactly the parameters that `patterns` name trainable and returns one group per pattern, then the frozen.

    `*` also crosses dots. A parameter belongs to the first pattern that names it; patterns that begin with `!` take
    parameters away from all others. `idle`: names of parameters that nothing depends on; they stay frozen.

    Raises:
        UserError: a pattern names nothing, or nothing is left to train.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    refused = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    parameters = dict(network.named_parameters())
    caught: dict[str, list[str]] = {pattern: [] for pattern in (*wanted, FROZEN)}
    for name in parameters:
        taken = name in idle or any(fnmatchcase(name, pattern) for pattern in refused)
        first = FROZEN if taken else next((p for p in wanted if fnmatchcase(name, p)), FROZEN)
        caught[first].append(name)
    for pattern in (*wanted, *refused):
        if not any(fnmatchcase(name, pattern) for name in parameters):
            parts = ", ".join(name for name, _ in network.named_children())
            raise UserError(f"The pattern {pattern!r} of `trains` names no parameter; this network has {parts}.")
    if len(caught[FROZEN]) == len(parameters):
        raise UserError("`trains` leaves nothing to train; name at least one pattern of parameters.")
    for name, parameter in parameters.items():
        parameter.requires_grad_(name not in set(caught[FROZEN]))
    return [Group(p, tuple(names), sum(parameters[n].numel() for n in names)) for p, names in caught.items()]


def table(groups: Sequence[Group]) -> str:
    """One line per pattern: what it names, how many tensors, how many values."""
    rows = [("trains", "tensors", "values")]
    rows += [(group.pattern, f"{len(group.names):,}", f"{group.count:,}") for group in groups]
    training = [group for group in groups if group.pattern != FROZEN]
    rows.append(("in all", f"{sum(len(g.names) for g in training):,}", f"{sum(g.count for g in training):,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "\n".join(f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows)
