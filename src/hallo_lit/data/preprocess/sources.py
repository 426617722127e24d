"""Which videos there are: a folder, a pattern, or a table with times, boxes and names of people."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from hallo_lit.errors import UserError

SUFFIXES = {
    *(
        ".3gp",
        ".asf",
        ".avi",
        ".divx",
        ".f4v",
        ".flv",
        ".gif",
        ".m2ts",
        ".m4v",
        ".mjpeg",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
    ),
    *(".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
}
TABLES = (".csv", ".tsv")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "video", "file", "filename", "video_path"),
    "start": ("start", "start_time", "start_sec"),
    "end": ("end", "end_time", "end_sec"),
    "left": ("left", "x0"),
    "top": ("top", "y0"),
    "right": ("right", "x1"),
    "bottom": ("bottom", "y1"),
    "identity": ("identity", "id", "person", "speaker"),
    "split": ("split",),
}
BOX = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Source:
    """One line of the report: a video file, or the part of one that a table names."""

    path: Path
    name: str  # as its owner calls it: relative to the folder, or as in the table
    start: float = 0.0  # seconds
    end: float = math.inf
    box: tuple[float, ...] = ()  # left, top, right, bottom; pixels, or shares of the picture when none exceeds 1
    identity: str = ""  # "" = from the name
    split: str = ""
    fault: str = ""  # why the line of the table cannot be used

    @property
    def window(self) -> str:
        """The part of the file that is meant, as text for hashes."""
        return f"{self.start!r} {self.end!r} {self.box!r}"

    @property
    def is_part(self) -> bool:
        """Is less meant than the whole file?"""
        return bool(self.start > 0 or self.end < math.inf or self.box)


def find_sources(videos: str, out: Path) -> list[Source]:
    """The videos in a folder (with its subfolders), matching a pattern, or listed in a CSV, in a fixed order.

    Files inside the store `out` are never sources.

    Raises:
        UserError: nothing there, nothing found, or a table without a path column.
    """
    path = Path(videos).expanduser()
    if path.is_dir():
        found = [Source(p, str(p.relative_to(path))) for p in _walk(path, out)]
        if not found:
            raise UserError(f"The folder {path} holds no video files (such as .mp4, .mkv, .mov, .webm).")
        return found
    if path.is_file():
        return list(_table(path)) if path.suffix.lower() in TABLES else [Source(path, path.name)]
    if has_magic(videos):
        matches = sorted(Path(p) for p in glob(str(path), recursive=True))
        found = [Source(p, str(p)) for p in matches if p.is_file() and not _inside(p, out)]
        if not found:
            raise UserError(f"No file matches the pattern {videos}.")
        return found
    raise UserError(f"{videos} is neither a folder, nor a file, nor a pattern that matches anything.")


def _walk(folder: Path, out: Path) -> list[Path]:
    found = (p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return sorted(p for p in found if p.is_file() and not _inside(p, out))


def _inside(path: Path, out: Path) -> bool:
    return path.resolve().is_relative_to(out.resolve())


def _table(table: Path) -> Iterator[Source]:
    try:
        text = table.read_bytes().decode("utf-8-sig", "surrogateescape")  # names may hold any line break
    except OSError as error:
        raise UserError(f"{table} cannot be read as a table of videos ({error}).") from error
    delimiter = "\t" if table.suffix.lower() == ".tsv" else ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        names = _names(rows.fieldnames or ())
        if "path" not in names:
            raise UserError(
                f"{table} needs a header with a column `path`; it may also have {', '.join(list(COLUMNS)[1:])}."
            )
        sources = [_row(row, names, table, rows.line_num) for row in rows if any(row.values())]
    except csv.Error as error:
        raise UserError(
            f"{table} is no table that can be read: {error} near line {rows.line_num}; is a quote never closed?"
        ) from error
    if not sources:
        raise UserError(f"{table} lists no videos.")
    yield from sources


def _names(header: Iterable[str]) -> dict[str, str]:
    """Our column name -> the table's."""
    spelled = {name.strip().lower(): name for name in header if name}
    return {ours: spelled[alias] for ours, aliases in COLUMNS.items() for alias in aliases if alias in spelled}


def _row(row: Mapping[str, str | None], names: Mapping[str, str], table: Path, number: int) -> Source:
    cell = {ours: (row.get(theirs) or "").strip() for ours, theirs in names.items()}
    cell["path"] = row.get(names["path"]) or ""  # a name may begin or end with a space
    if not cell["path"].strip():
        place = f"{table.name}, line {number}"
        return Source(table, place, fault=f"{place} names no video: its `path` is empty.")
    path = table.parent / _at_home(cell["path"])
    try:
        start, end = float(cell.get("start") or 0.0), float(cell.get("end") or math.inf)
        corners = [cell.get(side, "") for side in BOX]
        box = tuple(float(corner) for corner in corners) if any(corners) else ()
        if not 0 <= start < end:
            raise ValueError("end must come after start")
        if box and not (box[0] < box[2] and box[1] < box[3]):
            raise ValueError("right and bottom must be larger than left and top")
        if cell.get("split", "") not in ("", "train", "test"):
            raise ValueError("split must be train, test or empty")
    except ValueError as error:
        return Source(path, cell["path"], fault=f"The table's line for {cell['path']} cannot be used: {error}.")
    return Source(path, cell["path"], start, end, box, cell.get("identity", ""), cell.get("split", ""))


def _at_home(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # a name that begins with ~ and is nobody's home
        return Path(name)
