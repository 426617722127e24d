"""Finished rows on disk: one JSON file each, found again by every later call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
from hallo_lit.evaluation.row import Row

FOLDER = "rows"


@dataclass(frozen=True)
class Result:
    """
    Attributes:
        words: the row's own overrides, such as fusion=gated.
        settings: a hash of everything that the row's numbers depend on.
        common: a hash of what all rows of the sweep share, by which rows of another call are told apart.
        row: the numbers; `row.name` is the words.
        columns: value name -> heading.
        header: protocol lines of the table.
    """

    words: Sequence[str]
    settings: str
    common: str
    row: Row
    columns: Mapping[str, str]
    header: Mapping[str, str]

    def save(self, sweep: Path) -> None:
        plain = {**vars(self), "row": self.row.to_plain()}
        place = place_of(sweep, self.words)
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as part:
            part.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_result(path: Path) -> Result:
    """
    Raises:
        UserError: the file cannot be read as a row.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Result(**{**plain, "row": Row.from_plain(plain["row"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no finished row of a sweep; delete it, and call the sweep again.") from error


def finished(sweep: Path, words: Sequence[str], settings: str) -> Result | None:
    """The row of these words, if it was made with these very settings."""
    place = place_of(sweep, words)
    if not place.is_file():
        return None
    found = read_result(place)
    return found if found.settings == settings else None


def results_in(sweep: Path) -> tuple[list[Result], int]:
    """The rows that share their settings with the newest one, by name, and how many others lie there.

    Raises:
        UserError: there are none.
    """
    paths = sorted((sweep / FOLDER).glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not paths:
        raise UserError(f"{sweep} has no finished row yet.")
    found = [read_result(path) for path in paths]
    kept = [one for one in found if one.common == found[-1].common]
    return sorted(kept, key=lambda one: list(one.words)), len(found) - len(kept)


def place_of(sweep: Path, words: Sequence[str]) -> Path:
    return sweep / FOLDER / f"{slug(words)}.json"


def slug(words: Sequence[str]) -> str:
    """A file name for a list of overrides."""
    return re.sub(r"[^\w.,=+-]", "", ",".join(word.replace(",", "+") for word in words))[:120] or "base"


def hash_of(settings: Any) -> str:
    """12 hex digits of plain data."""
    return sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
