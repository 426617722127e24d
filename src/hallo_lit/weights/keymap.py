"""Renames foreign state dicts by an ordered table of regular expressions."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from hallo_lit.errors import UserError

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Format:
    """A foreign network as a table.

    rows: (pattern, replacement), applied in order to every name.
    drop: (pattern, why): names that may be lost, and are lost only if the network being filled has no place for them.
    squeeze: pattern of our names of layers over tokens that the foreign file stores as 1x1 convolutions, (..., 1, 1).
    """

    rows: Rows = ()
    drop: Rows = ()
    squeeze: str = r"(?!)"

    def rename(self, name: str) -> str:
        """Our name for a foreign one, whether or not it may be dropped."""
        for pattern, replacement in self.rows:
            name = re.sub(pattern, replacement, name)
        return name

    def why_drop(self, name: str) -> str | None:
        return next((why for pattern, why in self.drop if re.search(pattern, name)), None)

    def fit(self, ours: str, tensor: Tensor) -> Tensor:
        """The tensor in our shape: a view, never a copy."""
        if tensor.ndim == 4 and tensor.shape[-2:] == (1, 1) and re.search(self.squeeze, ours):
            return tensor[..., 0, 0]
        return tensor


@dataclass
class Converted:
    """Tensors under our names, where each came from, and what was lost on purpose."""

    state: dict[str, Tensor] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)  # ours -> theirs
    dropped: dict[str, str] = field(default_factory=dict)  # theirs -> why


def convert(state: Mapping[str, Tensor], fmt: Format, wanted: Container[str] = ()) -> Converted:
    """Renames a state dict; `wanted` holds the names of the network to be filled, see `Format.drop`.

    Names the table does not know come through as they are, so that a strict load reports them.

    Raises:
        UserError: two foreign names become the same one.
    """
    made = Converted()
    for theirs, tensor in state.items():
        ours = fmt.rename(theirs)
        why = None if ours in wanted else fmt.why_drop(theirs)
        if why is not None:
            made.dropped[theirs] = why
            continue
        if ours in made.state:
            raise UserError(f"The keys {made.origin[ours]} and {theirs} both mean {ours}; the file holds two networks.")
        made.state[ours] = fmt.fit(ours, tensor)
        made.origin[ours] = theirs
    return made


def inverse(names: Iterable[str], fmt: Format) -> dict[str, str]:
    """ours -> theirs over the foreign `names`: the table turned round, for writing the foreign layout.

    Raises:
        UserError: two foreign names become the same one.
    """
    made: dict[str, str] = {}
    for theirs in names:
        ours = fmt.rename(theirs)
        if made.setdefault(ours, theirs) != theirs:
            raise UserError(f"The keys {made[ours]} and {theirs} both mean {ours}, so the table has no inverse.")
    return made
