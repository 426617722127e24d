"""The whole job: list the inputs, leave out what is done, hand the rest to an engine, write the report."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hallo_lit.data.atomic import HIDDEN
from hallo_lit.data.index import clip_path
from hallo_lit.data.preprocess.engines.base import Engine
from hallo_lit.data.preprocess.engines.processes import Processes
from hallo_lit.data.preprocess.features import check_device, encoders_of, store_spec
from hallo_lit.data.preprocess.filters import REJECTED
from hallo_lit.data.preprocess.job import Job, blank, stamp, work
from hallo_lit.data.preprocess.page import FILE as PAGE
from hallo_lit.data.preprocess.page import write_page
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.report import FILE as REPORT
from hallo_lit.data.preprocess.report import Line, read_report, write_report
from hallo_lit.data.preprocess.settings import Settings, check, from_mapping
from hallo_lit.data.preprocess.sources import find_sources
from hallo_lit.data.store import StoreWriter
from hallo_lit.data.store_writer import unwritten, writing
from hallo_lit.errors import UserError
from hallo_lit.factory import build


@dataclass(frozen=True)
class Outcome:
    """What a run leaves: report lines in the order of the inputs, and how many of them were done before it."""

    lines: tuple[Line, ...]
    reused: int
    report: Path
    page: Path


def preprocess(config: Mapping[str, Any], progress: bool = False) -> Outcome:
    """Runs what `conf/preprocess.yaml` describes: `videos`, `out`, `engine`, and the sections of `Settings`.

    What is not given has its default, so that {"videos": ..., "out": ...} is enough.

    Raises:
        UserError: see `prepare`, and settings that do not exist or do not fit.
    """
    sections = {field.name for field in fields(Settings)}
    settings = from_mapping(Settings, {name: value or {} for name, value in config.items() if name in sections})
    check(settings)
    for name in ("videos", "out"):
        if not config.get(name):
            raise UserError(f"preprocess needs {name}=...; `hallo-lit preprocess --help` explains it.")
    engine = config.get("engine")
    runner: Engine = build(engine, trust=None) if engine else Processes()
    check_device(settings.features.device, here=not engine or isinstance(runner, Processes))
    return prepare(str(config["videos"]), Path(config["out"]), settings, runner, progress)


def prepare(videos: str, out: Path, settings: Settings, engine: Engine, progress: bool = False) -> Outcome:
    """Brings the store `out` up to date with a folder, pattern or table of videos; see docs/preprocess.md.

    Inputs that are unchanged since an earlier run under the same settings cost one look at their time stamp. Clips of
    inputs that are not listed now stay, and so do their report lines.

    Raises:
        UserError: no videos, a store that cannot be written, weights that are missing. What was finished is kept.
    """
    jobs = [Job(source, out, settings) for source in find_sources(videos, out)]
    lines: dict[str, Line] = {}
    todo: dict[str, Job] = {}
    for job in jobs:
        line = finished(job)
        if line is None:
            todo[job.key] = job
        else:
            lines[job.key] = line
    reused = len(lines)
    if todo:  # what is missing shall be said before anything is made; workers may have a device that is not here
        encoders_of(replace(settings.features, device="cpu")).load()
    writer = StoreWriter(out, store_spec(settings.features))
    _clear(out, writer.scratch)
    with writing(out):
        try:
            answers = engine.run(work, list(todo.values()))
            for job, answer, fault in tqdm(
                answers, "videos", len(todo), unit="", disable=not progress, file=sys.stderr
            ):
                lines[job.key] = _unanswered(job, fault) if answer is None else answer
            # a file that holds something else now took its old clips along, also from under files of the same content
            robbed = [job for job in jobs if job.key in lines and not _whole(job, lines[job.key])] if todo else []
            for job, answer, fault in engine.run(work, robbed) if robbed else ():
                lines[job.key] = _unanswered(job, fault) if answer is None else answer
        except BaseException:
            with suppress(UserError, OSError):  # the reason for leaving, such as a full disk, matters more
                _conclude(out, writer, jobs, lines)
            raise
        report = _conclude(out, writer, jobs, lines)
    return Outcome(tuple(report), reused, out / REPORT, out / PAGE)


def finished(job: Job) -> Line | None:
    """The line of an earlier run, if neither the file nor the settings have changed and the clips are there."""
    record = Records(job.root).load("inputs", job.key)
    if not record or record["settings"] != job.settings_key or record["stamp"] != stamp(job.source.path):
        return None
    line: dict[str, Any] = record["line"]
    return line if _whole(job, line) else None


def _whole(job: Job, line: Line) -> bool:
    """Are all clips there that the line says are kept?"""
    kept = (clip["id"] for clip in line["clips"] if clip["verdict"] != REJECTED)
    return all(clip_path(job.root, id).is_file() for id in kept)


def _unanswered(job: Job, fault: str) -> Line:
    """A worker died. What it had finished is used by the next run."""
    return finished(job) or {**blank(job.source), "reasons": [fault]}


def _conclude(out: Path, writer: StoreWriter, jobs: Sequence[Job], found: Mapping[str, Line]) -> list[Line]:
    """Index, report and picture, also of inputs of earlier runs that were not listed in this one."""
    writer.finish()
    lines: list[Line] = []
    listed: set[str] = set()
    for job in jobs:
        if job.key in found:
            again = {"duplicate_of": str(job.source.path)} if job.key in listed else {}
            part = {"window": job.source.window} if job.source.is_part else {}
            lines.append({**found[job.key], **part, **again})
            listed.add(job.key)
    here = set().union(*map(_names, lines))
    elsewhere = [old for old in read_report(out) if not _names(old) & here]
    write_report(out, [*elsewhere, *lines])
    write_page(out, [*elsewhere, *lines])
    return lines


def _names(line: Line) -> set[tuple[str, ...]]:
    """Lines that share one of these are about the same input: the same part of a path, or the same content."""
    content = [(line["content"],)] if line.get("content") else []
    return {(line["path"], line.get("window", "")), *content}


def _clear(out: Path, scratch: Path) -> None:
    """Takes away what killed runs left half-made, unless anybody is writing to the store."""
    with unwritten(out) as free:
        if free:
            for pattern in (f"{scratch.name}/*", f"{HIDDEN}*", f"*/*/{HIDDEN}*", f"preprocess/*/*/{HIDDEN}*"):
                for path in out.glob(pattern):
                    with suppress(OSError):
                        path.unlink()
