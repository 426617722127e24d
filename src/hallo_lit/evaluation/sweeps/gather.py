"""All finished rows of a sweep as the paper's table, with a plot and with what can be said about it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console

from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
from hallo_lit.evaluation.sweeps.drawing import draw
from hallo_lit.evaluation.sweeps.findings import findings, noise_of
from hallo_lit.evaluation.sweeps.pooling import Pooled, pool
from hallo_lit.evaluation.sweeps.results import Result, results_in
from hallo_lit.evaluation.sweeps.sweep import Sweep
from hallo_lit.evaluation.table import Column, Table


@dataclass(frozen=True)
class Gathered:
    """
    Attributes:
        rows: with their repetitions, as the plot wants them.
        said: sentences about the table.
    """

    table: Table
    rows: Sequence[Pooled]
    said: Sequence[str]


def gather(folder: Path, sweep: Sweep, title: str) -> Gathered:
    """The finished rows in `folder`; nothing is written.

    Raises:
        UserError: there is none.
    """
    results, stale = results_in(folder)
    rows = _ordered(pool(results, sweep), sweep)
    columns = [Column(key, heading) for key, heading in (sweep.columns or results[-1].columns).items()]
    header = {**_header(results, rows), "brackets": noise_of(rows)}
    if stale:
        header["left out"] = f"{stale} rows that were made with other settings"
    table = Table(title, columns, [one.row for one in rows], header, sweep.label)
    return Gathered(table, rows, findings(rows, columns))


def finish(folder: Path, sweep: Sweep, title: str) -> None:
    """Prints the table with its sentences, and writes both and the plot into `folder`.

    Raises:
        UserError: see `gather`.
    """
    console = Console()
    made = gather(folder, sweep, title)
    made.table.save(folder)
    with replacing(folder / "findings.txt") as part:
        part.write_text("\n".join(made.said) + "\n", encoding="utf-8")
    console.print(made.table.to_rich())
    for sentence in made.said:
        console.print(sentence, highlight=False)
    files = "table.csv table.tex table.md table.json findings.txt"
    try:
        draw(folder / "plot.png", sweep.plot, made.rows, made.table.columns, sweep.rows, title)
        files += " plot.png"
    except UserError as error:  # a table without its plot is still a table
        console.print(str(error), highlight=False)
    print(f"{folder}: {files}")


def _ordered(rows: list[Pooled], sweep: Sweep) -> list[Pooled]:
    """As the sweep lists its rows; others afterwards."""
    order = {name: place for place, name in enumerate(sweep.rows.values())}
    return sorted(rows, key=lambda one: order.get(one.row.name, len(order)))


def _header(results: list[Result], rows: list[Pooled]) -> dict[str, str]:
    """What holds for all rows, date and machine; nothing of single rows."""
    names = {one.row.name for one in results} | {"Real video"}
    shared = {
        subject: text
        for subject, text in results[-1].header.items()
        if not any(subject == name or subject.startswith(f"{name}, ") for name in names)
    }
    memory = psutil.virtual_memory().total / 2**30
    made = {
        "made": f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}, "
        f"{psutil.cpu_count()} CPU cores, {memory:.0f} GiB",
        "rows": ", ".join(f"{one.row.name} x {len(one.repeats)}" for one in rows),
    }
    return {**made, **shared}
