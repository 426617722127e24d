"""Pictures of a sweep: one panel per value, rows as dots, as lines over a number, or as a grid over two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
from hallo_lit.evaluation.table import Column

if TYPE_CHECKING:
    from hallo_lit.evaluation.sweeps.pooling import Pooled

Plot = Literal["dots", "lines", "grid"]
COLUMNS = 3  # panels side by side
COLOUR = "#30588c"


def draw(
    path: Path, plot: Plot, rows: Sequence[Pooled], columns: Sequence[Column], names: Mapping[str, str], title: str
) -> None:
    """Writes a PNG. `names` say what series of words are called.

    Raises:
        UserError: matplotlib is not installed, or the rows do not differ in as many numbers as the plot needs.
    """
    pyplot = _pyplot()
    columns = [column for column in columns if any(column.key in one.row.values for one in rows)]
    across = min(COLUMNS, len(columns))
    down = -(-len(columns) // across)
    height = 0.32 * len(rows) + 1.2 if plot == "dots" else 2.9
    figure, axes = pyplot.subplots(
        down, across, figsize=(3.6 * across + 1.2, height * down), squeeze=False, layout="constrained"
    )
    panel = {"dots": _dots, "lines": _lines, "grid": _grid}[plot]
    for column, place in zip(columns, axes.flat, strict=False):
        panel(place, rows, column.key, names)
        place.set_title(column.heading, fontsize=10)
        place.tick_params(labelsize=8)
    for place in axes.flat[len(columns) :]:
        place.set_axis_off()
    figure.suptitle(title, fontsize=11)
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=120)
    pyplot.close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise UserError("Plots need matplotlib; install it by `pip install hallo-lit[notebooks]`.") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _dots(place: Any, rows: Sequence[Pooled], key: str, names: Mapping[str, str]) -> None:
    for y, one in enumerate(rows):
        if key not in one.row.values:
            continue
        place.plot(one.values(key), [y] * len(one.values(key)), "o", color=COLOUR, alpha=0.45, markersize=4)
        place.plot(one.row.values[key], y, "|", color=COLOUR, markersize=12, markeredgewidth=2)
        if key in one.row.intervals:
            place.plot(one.row.intervals[key], [y, y], "-", color=COLOUR, linewidth=1.2)
    place.set_yticks(range(len(rows)), [one.row.name for one in rows])
    place.set_ylim(len(rows) - 0.5, -0.5)
    place.grid(axis="x", alpha=0.3)


def _lines(place: Any, rows: Sequence[Pooled], key: str, names: Mapping[str, str]) -> None:
    axis = _axes(rows, 1)[0]
    series: dict[str, list[tuple[float, float]]] = {}
    for one in rows:
        rest = ",".join(word for word in one.words if word.partition("=")[0] != axis)
        if key in one.row.values:
            series.setdefault(rest, []).append((_numbers(one)[axis], one.row.values[key]))
    for rest, points in series.items():
        place.plot(*zip(*sorted(points), strict=True), "o-", label=names.get(rest, rest), markersize=4, linewidth=1.2)
    place.set_xlabel(axis, fontsize=8)
    place.grid(alpha=0.3)
    if len(series) > 1:
        place.legend(fontsize=7)


def _grid(place: Any, rows: Sequence[Pooled], key: str, names: Mapping[str, str]) -> None:
    down, across = _axes(rows, 2)
    ys, xs = (sorted({_numbers(one)[axis] for one in rows}) for axis in (down, across))
    values = np.full((len(ys), len(xs)), np.nan)
    for one in rows:
        numbers = _numbers(one)
        values[ys.index(numbers[down]), xs.index(numbers[across])] = one.row.values.get(key, np.nan)
    place.imshow(values, cmap="viridis", aspect="auto")
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (y, x), value in np.ndenumerate(values):
        if np.isfinite(value):
            place.text(x, y, f"{value:.3g}", ha="center", va="center", fontsize=8, color="wk"[int(value > middle)])
    place.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
    place.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
    place.set_xlabel(across, fontsize=8)
    place.set_ylabel(down, fontsize=8)


def _axes(rows: Sequence[Pooled], count: int) -> list[str]:
    """The keys in which rows differ by numbers."""
    numbers = [_numbers(one) for one in rows]
    varying = [key for key in numbers[0] if len({other.get(key) for other in numbers}) > 1]
    if len(varying) < count or any(set(varying) - set(other) for other in numbers):
        raise UserError(f"The plot wants rows that differ in {count} number(s); set sweep.plot=dots.")
    return varying[:count]


def _numbers(one: Pooled) -> dict[str, float]:
    """key -> number, of those words of a row that are numbers."""
    found = {}
    for word in one.words:
        key, _, text = word.partition("=")
        try:
            found[key] = float(text)
        except ValueError:
            continue
    return found
