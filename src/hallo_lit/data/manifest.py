"""A list of videos to prepare, as the CSV that `hallo-lit preprocess videos=LIST.csv` reads, and who is in them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hallo_lit.data.atomic import replacing

Box = tuple[float, float, float, float]  # left, top, right, bottom; right and bottom exclusive
COLUMNS = ("path", "start", "end", "left", "top", "right", "bottom", "identity", "split")
_HDTF = re.compile(r"(RD|WDA|WRA)_(.+?)(?:_\d+)?")
_ALIASES = {"WhipJimClyburn": "JamesClyburn"}  # one recording, listed under both names


@dataclass(frozen=True)
class ManifestRow:
    """One stretch of one video."""

    path: Path
    start: float = 0.0
    end: float | None = None  # seconds; None = to the end
    box: Box | None = None  # around the face to keep: pixels, or shares of the picture when none exceeds 1
    identity: str = ""
    split: str = ""  # "train", "test", or "" = by the identity


@dataclass(frozen=True)
class Manifest:
    """The usable rows of a list, and one sentence with file and line for each entry that cannot be used."""

    rows: tuple[ManifestRow, ...]
    faults: tuple[str, ...] = ()

    def save(self, path: Path) -> None:
        """Writes the CSV whole or not at all; file names that are not valid Unicode survive."""
        write_manifest(path, self.rows)


def write_manifest(path: Path, rows: Sequence[ManifestRow]) -> None:
    """One line per row under a header of COLUMNS; paths become absolute, what is unknown stays empty."""
    with replacing(path) as part, part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            end = "" if row.end is None else f"{row.end:g}"
            box = [f"{side:.6g}" for side in row.box] if row.box else [""] * 4
            writer.writerow([row.path.absolute(), f"{row.start:g}", end, *box, row.identity, row.split])


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
