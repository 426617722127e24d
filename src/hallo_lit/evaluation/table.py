"""Rows of numbers under headings, with the protocol that made them; on screen and in four file formats."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from rich.console import RenderableType

from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
from hallo_lit.evaluation import renderings
from hallo_lit.evaluation.row import Item as Item
from hallo_lit.evaluation.row import Row as Row
from hallo_lit.metrics.base import VideoMetric

Better = Literal["higher", "lower", "one", "zero", ""]
ARROWS: Mapping[str, Better] = {"↑": "higher", "↓": "lower", "→1": "one", "→0": "zero"}
REAL = "Real video"  # the row that is always there, and never counts as best


@dataclass(frozen=True)
class Column:
    """One value: its name in `Row.values`, and its heading, whose last word may be an arrow of `ARROWS`."""

    key: str
    heading: str

    @property
    def better(self) -> Better:
        return ARROWS.get(self.heading.rpartition(" ")[2], "")


def columns_of(metrics: Iterable[VideoMetric]) -> list[Column]:
    """The columns that metrics put into a table; see `VideoMetric.headings`."""
    return [Column(key, heading) for metric in metrics for key, heading in metric.headings.items()]


@dataclass(frozen=True)
class Table:
    """
    Attributes:
        header: what the numbers mean, by subject: one protocol line per metric, hashes of weights, date, hardware.
        label: what the first column is called.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    header: Mapping[str, str] = field(default_factory=dict)
    label: str = "Method"

    def best(self, column: Column) -> str | None:
        """Name of the row with the best value; None without a direction or with fewer than two rows to compare.

        Rows that could count fewer clips than another are left out: leaving out what is hard is no merit.
        """
        distance = {"higher": lambda v: -v, "lower": lambda v: v, "one": lambda v: abs(v - 1), "zero": abs}
        rivals = [row for row in self.rows if column.key in row.values and row.name != REAL]
        most = max((row.counts.get(column.key, row.counted) for row in rivals), default=0)
        found = {row.name: row.values[column.key] for row in rivals if row.counts.get(column.key, row.counted) == most}
        if not column.better or len(found) < 2:
            return None
        return min(found, key=lambda name: distance[column.better](found[name]))

    def to_rich(self) -> RenderableType:
        return renderings.rich(self)

    def to_csv(self) -> str:
        return renderings.csv(self)

    def to_latex(self) -> str:
        return renderings.latex(self)

    def to_markdown(self) -> str:
        return renderings.markdown(self)

    def save(self, folder: Path) -> None:
        """table.csv, .tex, .md and .json, and items.csv with one verdict per row, clip and metric."""
        plain = {
            "title": self.title,
            "label": self.label,
            "header": dict(self.header),
            "columns": [asdict(column) for column in self.columns],
            "rows": [row.to_plain() for row in self.rows],
        }
        texts = {
            "table.csv": self.to_csv(),
            "table.tex": self.to_latex(),
            "table.md": self.to_markdown(),
            "table.json": json.dumps(plain, indent=1, ensure_ascii=False) + "\n",
            "items.csv": renderings.items(self),
        }
        for name, text in texts.items():
            with replacing(folder / name) as part:
                part.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")

    @classmethod
    def load(cls, path: Path) -> Table:
        """
        Raises:
            UserError: the file is not there, or no table.json.
        """
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            columns = [Column(**column) for column in plain["columns"]]
            rows = [Row.from_plain(row) for row in plain["rows"]]
            return cls(plain["title"], columns, rows, plain["header"], plain["label"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} cannot be read as a table ({error}); run evaluate again.") from error
