"""One method's numbers with all that is needed to believe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Item:
    """What became of one clip.

    Attributes:
        name: of the case.
        counted: whether at least one metric could use it.
        remarks: why it was left out or what is special about it, by metric; "" is said of the clip as a whole.
    """

    name: str
    counted: bool
    remarks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """The numbers of one method.

    Attributes:
        values: by value name, such as "fid" or "psync_r"; what could not be measured is absent.
        intervals: (low, high) of the values that have a confidence interval.
        counts: how many clips stand behind each value.
        counted, total: clips that at least one metric used, and clips there are.
        skipped: metrics that did not run as a whole, and why, in one line.
        notes: what else limits these numbers.
        items: one verdict per clip.
        facts: what made the videos: weights, settings, folder.
    """

    name: str
    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    counted: int = 0
    total: int = 0
    skipped: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Dictionaries, lists and numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, given: Mapping[str, Any]) -> Row:
        """The inverse of `to_plain`, JSON in between allowed."""
        return cls(
            **{
                **given,
                "intervals": {key: (low, high) for key, (low, high) in given["intervals"].items()},
                "notes": tuple(given["notes"]),
                "items": tuple(Item(**item) for item in given["items"]),
            }
        )
