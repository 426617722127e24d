"""A list of videos to prepare: one CSV row per stretch of video, with the person's name and, if known, the face box.

Columns: `source` (also called video or path; relative to the CSV's folder), and optionally `start`, `end` in seconds,
`left`, `top`, `right`, `bottom` with `box_in`, `identity`, `split`. Empty cells mean unknown.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError

Box = tuple[float, float, float, float]  # left, top, right, bottom; right and bottom exclusive
COLUMNS = ("source", "start", "end", "left", "top", "right", "bottom", "box_in", "identity", "split")
_SPLITS = ("", "train", "test")
_HDTF = re.compile(r"(RD|WDA|WRA)_(.+?)(?:_\d+)?")
_ALIASES = {"WhipJimClyburn": "JamesClyburn"}  # one recording, listed under both names


@dataclass(frozen=True)
class ManifestRow:
    """One stretch of one video."""

    source: str
    start: float = 0.0
    end: float | None = None  # seconds; None = to the end
    box: Box | None = None  # where the face to keep is, roughly
    box_in: str = (
        "pixels"  # "pixels" of the file, "fractions" of its sides, or "720": pixels of a 720-line version of it
    )
    identity: str = ""
    split: str = ""
    folder: Path = field(default=Path(), compare=False)  # what `source` is relative to
    where: str = field(default="", compare=False)  # file and line, for messages

    @property
    def path(self) -> Path:
        return self.folder / Path(self.source).expanduser()

    def pixel_box(self, width: int, height: int) -> tuple[int, int, int, int] | None:
        """The box in the pixels of a width x height file, clipped to it; None when unknown or outside."""
        if self.box is None:
            return None
        scale = 1.0 if self.box_in in ("pixels", "fractions") else height / float(self.box_in)
        across, down = (width, height) if self.box_in == "fractions" else (scale, scale)
        left, right = (min(max(round(x * across), 0), width) for x in (self.box[0], self.box[2]))
        top, bottom = (min(max(round(y * down), 0), height) for y in (self.box[1], self.box[3]))
        return (left, top, right, bottom) if left < right and top < bottom else None


@dataclass(frozen=True)
class Manifest:
    """The usable rows of a list, and one sentence with file and line for each row that cannot be used."""

    rows: tuple[ManifestRow, ...]
    faults: tuple[str, ...] = ()


def identity_of(source: str) -> str:
    """Who is in a video, by its name: HDTF's rule where it applies, else every video is a person of its own.

    `RD_Radio10_000.mp4` is RD_Radio10 (each speech stands alone); `WDA_AmyKlobuchar1_002.mp4` is WDA_AmyKlobuchar: a
    trailing digit of a person's name numbers that person's recordings.
    """
    match = _HDTF.fullmatch(Path(source).stem)
    return hdtf_identity(match[1], match[2]) if match else source


def hdtf_identity(subset: str, name: str) -> str:
    """The person behind an entry of HDTF's lists, e.g. ("WDA", "AmyKlobuchar1")."""
    if subset != "RD":
        name = name.rstrip("0123456789") or name
    return f"{subset}_{_ALIASES.get(name, name)}"


def read_manifest(path: Path) -> Manifest:
    """Reads a CSV in UTF-8, with or without byte order mark, separated by commas, semicolons or tabs.

    Raises:
        UserError: the file cannot be read as such, or has no `source` column.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(",;\t", key=first.count)
            reader = csv.DictReader(file, delimiter=separator, restkey="", strict=True)
            names = {name.strip().lower(): name for name in reader.fieldnames or () if name}
            source = next((names[n] for n in ("source", "video", "path") if n in names), None)
            if source is None:
                raise UserError(f"{path} has no column named source; its first line must name the columns.")
            rows: list[ManifestRow] = []
            faults: list[str] = []
            for record in reader:
                cells = {name: (record.get(column) or "").strip() for name, column in names.items()}
                where = f"{path}, line {reader.line_num}"
                try:
                    rows.append(_row({**cells, "source": (record[source] or "").strip()}, path.parent, where))
                except ValueError as error:
                    faults.append(f"{where}: {error}.")
    except OSError as error:
        raise UserError(f"The list {path} cannot be read ({error.strerror}).") from error
    except csv.Error as error:
        raise UserError(f"{path} is not a CSV file ({error}).") from error
    return Manifest(tuple(rows), tuple(faults))


def _row(cells: dict[str, str], folder: Path, where: str) -> ManifestRow:
    if not cells["source"]:
        raise ValueError("the source is empty")
    start, end = _number(cells, "start") or 0.0, _number(cells, "end")
    if start < 0 or (end is not None and end <= start):
        raise ValueError(f"start {start:g} and end {cells.get('end')} do not enclose any time")
    sides = [_number(cells, side) for side in ("left", "top", "right", "bottom")]
    box_in = cells.get("box_in") or "pixels"
    if box_in not in ("pixels", "fractions") and not box_in.isdecimal():
        raise ValueError(f"box_in is {box_in!r}; it must be pixels, fractions or a number of lines")
    split = cells.get("split", "").lower()
    if split not in _SPLITS:
        raise ValueError(f"split is {split!r}; it must be train, test or empty")
    identity = cells.get("identity") or identity_of(cells["source"])
    return ManifestRow(cells["source"], start, end, _box(sides), box_in, identity, split, folder, where)


def _number(cells: dict[str, str], name: str) -> float | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} is {text!r}, which is not a number")
    return number


def _box(sides: Sequence[float | None]) -> Box | None:
    left, top, right, bottom = sides
    if left is None and top is None and right is None and bottom is None:
        return None
    if left is None or top is None or right is None or bottom is None:
        raise ValueError("a box needs all of left, top, right and bottom")
    if left >= right or top >= bottom:
        raise ValueError(f"the box {left:g}, {top:g}, {right:g}, {bottom:g} is empty")
    return left, top, right, bottom


def write_manifest(path: Path, rows: Sequence[ManifestRow]) -> None:
    """Writes the CSV whole or not at all."""
    with (
        replacing(path) as part,
        part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            end = "" if row.end is None else repr(row.end)
            box = [repr(side) for side in row.box] if row.box else [""] * 4
            box_in = row.box_in if row.box else ""
            writer.writerow([row.source, repr(row.start), end, *box, box_in, row.identity, row.split])
