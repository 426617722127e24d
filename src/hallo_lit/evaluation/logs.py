"""A table in W&B, with one video per row, and its numbers in every other logger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hallo_lit.evaluation.table import Table
from hallo_lit.stages.loggers import show_table


def log_table(table: Table, loggers: Sequence[Any], videos: int = 4) -> None:
    """Numbers of every row, and the first videos of those rows whose folder is known."""
    columns = [table.label, "counted", "total", *(column.key for column in table.columns)]
    data = [
        [row.name, row.counted, row.total, *(row.values.get(column.key) for column in table.columns)]
        for row in table.rows
    ]
    shown = {
        row.name: [
            path for item in row.items[:videos] if (path := Path(row.facts["videos"]) / f"{item.name}.mp4").is_file()
        ]
        for row in table.rows
        if "videos" in row.facts
    }
    show_table(loggers, "table", columns, data, shown)
