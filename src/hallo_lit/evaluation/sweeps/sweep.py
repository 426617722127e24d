"""What a file of conf/sweep says: how a row comes about, and how rows become one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from hallo_lit.errors import UserError
from hallo_lit.evaluation.sweeps.drawing import Plot


@dataclass(frozen=True)
class Sweep:
    """
    Attributes:
        label: heading of the first column.
        rows: row's own words joined by commas ("fusion=gated") -> what the table calls it; others keep their words.
        repeats: keys whose values are repetitions of a row (seeds), pooled in the table.
        trains: keys that the training of a row depends on; the others change sampling alone.
        train: words of `hallo-lit train` that train a row; None: the model is the one of `weights`.
        start: words of `hallo-lit train` for the run that all rows start from; None: as `train` says.
        made_by: command that makes the folders of clips to train on and to judge by, where they are missing.
        bench: words of `hallo-lit bench`, which then measures the row instead of `evaluate`.
        objective: value that a hyper-parameter sweeper maximises.
        columns: value name -> heading, see `evaluation.table.Column`; empty: as the metrics say.
        plot: dots (a panel per value), lines (over the numbers of one key) or grid (over those of two).
    """

    label: str = "Row"
    rows: Mapping[str, str] = field(default_factory=dict)
    repeats: Sequence[str] = ()
    trains: Sequence[str] = ()
    train: Sequence[str] | None = None
    start: Sequence[str] | None = None
    made_by: str | None = None
    bench: Sequence[str] | None = None
    objective: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    plot: Plot = "dots"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Sweep:
        """
        Raises:
            UserError: a key is unknown or missing.
        """
        try:
            made = cls(**given)
        except TypeError as error:
            raise UserError(f"sweep does not have these keys: {error}.") from error
        if made.plot not in get_args(Plot):
            raise UserError(f"sweep.plot={made.plot} is not known; choose one of {', '.join(get_args(Plot))}.")
        return made

    def require(self, folder: Any) -> None:
        """
        Raises:
            UserError: the folder is missing, and it is known how it is made.
        """
        if self.made_by and isinstance(folder, str) and not Path(folder).expanduser().is_dir():
            raise UserError(f"{folder} is not there, which this sweep needs; `{self.made_by}` makes it.")

    def own(self, words: Iterable[str]) -> list[str]:
        """The words of a row without those of its repetitions."""
        return [word for word in words if key_of(word) not in self.repeats]

    def name(self, words: Iterable[str]) -> str:
        """What the table calls the row of these words."""
        plain = ",".join(self.own(words))
        return self.rows.get(plain, plain)

    def training(self, words: Iterable[str]) -> list[str]:
        """The words of a row that its training needs."""
        return [word for word in words if key_of(word) in self.trains]


def key_of(word: str) -> str:
    """`+fusion.branches=[lip]` -> `fusion.branches`."""
    return word.lstrip("+").partition("=")[0]
