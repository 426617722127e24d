"""A table as text: for the screen, for spreadsheets, for papers."""

from __future__ import annotations

import csv as csv_module
import math
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

if TYPE_CHECKING:
    from hallo_lit.evaluation.table import Column, Row, Table

NONE = "–"
_LATEX = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "→1": r"$\to 1$", "→0": r"$\to 0$", "–": "--", "±": r"$\pm$"}
_ESCAPED = {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}


def number(value: float) -> str:
    """Four significant digits, but at most three decimals; a power of ten where these would show nothing."""
    if not math.isfinite(value):
        return str(value)
    if 0 < abs(value) < 5e-4:
        return f"{value:.1e}"
    digits = 3 if value == 0 else max(0, 3 - max(0, math.floor(math.log10(abs(value)))))
    return f"{value:.{min(3, digits)}f}"


def cell(row: Row, column: Column, gap: str = " ") -> str:
    """The value, its interval, and the number of clips where it is not that of the whole row."""
    if column.key not in row.values:
        return NONE
    text = number(row.values[column.key])
    if column.key in row.intervals:
        low, high = row.intervals[column.key]
        text += f"{gap}[{number(low)}, {number(high)}]"
    count = row.counts.get(column.key, row.counted)
    return text if count == row.counted else f"{text} (n={count})"


def filled(table: Table) -> list[Column]:
    """The columns in which at least one row has a value."""
    return [column for column in table.columns if any(column.key in row.values for row in table.rows)]


def rich(table: Table) -> RenderableType:
    """Methods across and metrics down, which suits the few methods and many metrics of a screen."""
    drawn = RichTable(title=table.title, title_justify="left")
    drawn.add_column("")
    for row in table.rows:
        drawn.add_column(row.name, justify="right")
    drawn.add_row("clips", *(f"{row.counted}/{row.total}" for row in table.rows), end_section=True)
    for column in filled(table):
        best = table.best(column)
        cells = [Text(cell(row, column, "\n"), "bold" if row.name == best else "") for row in table.rows]
        drawn.add_row(Text(column.heading), *cells)
    return Group(drawn, *(Text(f"{name}: {text}", "dim") for name, text in table.header.items()))


def csv(table: Table) -> str:
    """Every value, shown in the other formats or not, with the ends of its interval."""
    keys = list(dict.fromkeys([*(column.key for column in table.columns), *(k for r in table.rows for k in r.values)]))
    fields = [name for key in keys for name in (key, f"{key}_low", f"{key}_high", f"{key}_clips")]
    text = StringIO()
    for name, line in table.header.items():
        text.write(f"# {name}: {line}\r\n")
    writer = csv_module.writer(text)
    writer.writerow(["name", "counted", "total", *fields])
    for row in table.rows:
        cells: list[object] = []
        for key in keys:
            low, high = row.intervals.get(key, ("", ""))
            cells += [row.values.get(key, ""), low, high, row.counts.get(key, "")]
        writer.writerow([row.name, row.counted, row.total, *cells])
    return text.getvalue()


def markdown(table: Table) -> str:
    names = [table.label, "clips", *(column.heading for column in filled(table))]
    lines = [f"**{table.title}**", "", _bars(names), _bars(["---", *["---:"] * (len(names) - 1)])]
    for row in table.rows:
        cells = [cell(row, column) for column in filled(table)]
        marked = [
            f"**{text}**" if table.best(column) == row.name else text
            for text, column in zip(cells, filled(table), strict=True)
        ]
        lines.append(_bars([row.name, f"{row.counted}/{row.total}", *marked]))
    notes = [f"- {name}: {text}" for name, text in table.header.items()]
    return "\n".join([*lines, "", *notes]) + "\n"


def _bars(cells: list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in cells) + " |"


def latex(table: Table) -> str:
    """A tabular for booktabs; the header becomes comments."""
    heads = [table.label, "clips", *(column.heading for column in filled(table))]
    lines = [f"% {name}: {text}" for name, text in table.header.items()]
    lines += [rf"\begin{{tabular}}{{lr{'r' * len(filled(table))}}}", r"\toprule"]
    lines += [" & ".join(map(_escaped, heads)) + r" \\", r"\midrule"]
    for row in table.rows:
        cells = [_escaped(row.name), f"{row.counted}/{row.total}"]
        for column in filled(table):
            text = _escaped(cell(row, column))
            cells.append(rf"\textbf{{{text}}}" if table.best(column) == row.name else text)
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _escaped(text: str) -> str:
    text = "".join(_ESCAPED.get(character, character) for character in text)
    for sign, command in _LATEX.items():
        text = text.replace(sign, command)
    return text


def items(table: Table) -> str:
    """One line per remark; a clip without any has one line, too."""
    text = StringIO()
    writer = csv_module.writer(text)
    writer.writerow(["row", "item", "counted", "metric", "remark"])
    for row in table.rows:
        for item in row.items:
            for metric, remark in (item.remarks or {"": ""}).items():
                writer.writerow([row.name, item.name, "yes" if item.counted else "no", metric, remark])
    return text.getvalue()
