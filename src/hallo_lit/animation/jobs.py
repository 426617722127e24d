"""Lists of jobs: one line of a CSV, TSV or JSONL file per video to make."""

from __future__ import annotations

import csv
import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any

from hallo_lit.errors import UserError

# Hallo's own option names (scripts/inference.py and its YAML) and what they are called here.
HALLO_NAMES = {
    "source_image": "portrait",
    "driving_audio": "audio",
    "output": "out",
    "save_path": "out",
    "inference_steps": "sampler.steps",
    "steps": "sampler.steps",
    "weight_dtype": "precision",
    "checkpoint": "weights",
    "audio_ckpt_dir": "weights",
}
FILES = ("portrait", "audio", "out")
FOLDERS = ("frames_dir",)  # options whose values are paths, too


@dataclass(frozen=True)
class Job:
    """One video to make. `options` holds what differs from the common settings, under their keys."""

    row: int  # line of the manifest, 1 = the first after the header; 0 = from the command line
    portrait: Path
    audio: Path
    out: Path
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BadRow:
    """A line that is no job, and the sentence that says why."""

    row: int
    error: str


def read_jobs(manifest: Path, defaults: Mapping[str, Any]) -> list[Job | BadRow]:
    """The jobs of a manifest in its order; a line that makes no sense becomes a `BadRow` and stops nobody else.

    Columns are `portrait, audio, out` and any key of `defaults`, whose value gives the type (an empty cell keeps the
    default); Hallo's names work, too. Relative paths are relative to the manifest.

    Raises:
        UserError: the file cannot be read, has no jobs, or has a column nobody knows.
    """
    records = list(_records(manifest))
    if not records:
        raise UserError(f"{manifest} lists no jobs; it needs the columns {', '.join(FILES)}.")
    known = [*FILES, *defaults]
    for name in {name: None for _, record in records if isinstance(record, dict) for name in record}:
        if _ours(name) not in known:
            close = get_close_matches(_ours(name), known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
            raise UserError(f"{manifest} has a column {name!r} that means nothing here; {hint}")
    jobs: list[Job | BadRow] = []
    taken: dict[Path, int] = {}
    for row, record in records:
        try:
            job = _job(row, record, manifest.parent, defaults)
            if job.out in taken:
                raise UserError(f"out {job.out} is already the output of row {taken[job.out]}.")
            taken[job.out] = row
            jobs.append(job)
        except UserError as error:
            jobs.append(BadRow(row, str(error)))
    return jobs


def _records(manifest: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """(row, cells) of every line that is not blank; a line that cannot be parsed gives its error text instead."""
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"The manifest {manifest} does not exist.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The manifest {manifest} cannot be read as UTF-8 text: {error}.") from error
    if manifest.suffix.lower() in (".jsonl", ".ndjson"):
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield number, _json(line)
    elif manifest.suffix.lower() in (".csv", ".tsv"):
        delimiter = "\t" if manifest.suffix.lower() == ".tsv" else ","
        reader = csv.DictReader(StringIO(text, newline=""), delimiter=delimiter, restkey="", skipinitialspace=True)
        try:
            for number, cells in enumerate(reader, 1):
                yield number, "it has more cells than the header has names" if "" in cells else dict(cells)
        except csv.Error as error:
            raise UserError(f"The manifest {manifest} is not a table: {error}.") from error
    else:
        raise UserError(f"The manifest {manifest} must be a .csv, .tsv or .jsonl file.")


def _json(line: str) -> dict[str, Any] | str:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        return f"it is not JSON ({error})"
    return found if isinstance(found, dict) else "it is not a JSON object"


def _job(row: int, record: dict[str, Any] | str, folder: Path, defaults: Mapping[str, Any]) -> Job:
    if isinstance(record, str):
        raise UserError(f"{record}.")
    cells = {_ours(name): value for name, value in record.items() if value not in (None, "")}
    if missing := [name for name in FILES if name not in cells]:
        raise UserError(f"it has no {', '.join(missing)}.")
    portrait, audio, out = (_path(name, cells[name], folder) for name in FILES)
    options = {name: _typed(name, cells[name], defaults[name]) for name in cells if name not in FILES}
    options |= {name: str(_path(name, cells[name], folder)) for name in cells if name in FOLDERS}
    return Job(row, portrait, audio, out, options)


def _path(name: str, value: Any, folder: Path) -> Path:
    if not isinstance(value, str):
        raise UserError(f"{name} must be a file name, not {value!r}.")
    return folder / Path(value).expanduser()


def _typed(name: str, value: Any, default: Any) -> Any:
    """A cell as the type of its default; cells of CSV files are text."""
    try:
        match default:
            case bool():
                return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).strip().lower()]
            case int():
                return int(str(value))
            case float():
                return float(value)
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{name} must look like {str(default).lower()}, not {value!r}.") from None
    return value


def _ours(name: str) -> str:
    return HALLO_NAMES.get(name.strip(), name.strip())


def perform(jobs: Sequence[Job | BadRow], make: Callable[[Job], None], report: Callable[[str], None]) -> int:
    """Makes the videos one after the other and reports every row that fails; returns how many failed.

    What the user can mend is reported in its own sentence, anything else with its stack trace; both stop only that row.
    """
    failed = 0
    for job in jobs:
        try:
            if isinstance(job, BadRow):
                raise UserError(job.error)
            make(job)
        except UserError as error:
            failed += 1
            report(f"row {job.row}: {error}")
        except Exception as error:
            failed += 1
            report(f"row {job.row}: {''.join(traceback.format_exception(error)).rstrip()}")
    return failed
