"""One input from file to clips in the store and a line in the report, using whatever earlier runs already did."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hallo_lit.data.preprocess.clipping import Clipping, drop
from hallo_lit.data.preprocess.features import Encoders, encoders_of, store_spec
from hallo_lit.data.preprocess.filters import KEPT, REJECTED, UNDECIDED
from hallo_lit.data.preprocess.planning import Planner
from hallo_lit.data.preprocess.probe import Facts, facts, objections
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.render import thumbnail
from hallo_lit.data.preprocess.settings import FPS, Settings
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.data.spec import config_hash
from hallo_lit.data.store import StoreWriter, content_id
from hallo_lit.data.store_writer import writing
from hallo_lit.errors import UserError
from hallo_lit.media.video import read_frames

UNREADABLE = "unreadable"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


@dataclass(frozen=True)
class Job:
    """What one worker is told."""

    source: Source
    root: Path
    settings: Settings

    @property
    def key(self) -> str:
        """Names the input: its place and the part of it, not its content."""
        fault = [self.source.fault] if self.source.fault else []  # a bad line must not stand in the way of a good one
        return content_id(str(self.source.path.absolute()), self.source.window, *fault)

    @property
    def settings_key(self) -> str:
        return config_hash({"settings": self.settings.key(), "who": [self.source.identity, self.source.split]})


def stamp(path: Path) -> list[int] | None:
    """Size and time of change; None when there is no such file."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    return [status.st_size, status.st_mtime_ns]


def blank(source: Source) -> dict[str, Any]:
    """The line of an input of which nothing is known yet."""
    return {"source": source.name, "path": str(source.path), "verdict": UNREADABLE, "reasons": [], "clips": []}


def work(job: Job) -> dict[str, Any]:
    """The report line of one input. Whatever is wrong with the input itself is in the line.

    Raises:
        UserError: the store cannot be written, or an encoder cannot be loaded: no other input would fare better.
    """
    line, mark = blank(job.source), stamp(job.source.path)
    if job.source.fault or mark is None:
        return {**line, "reasons": [job.source.fault or f"{job.source.path} does not exist"]}
    encoders = encoders_of(job.settings.features)
    encoders.load()
    records = Records(job.root)
    with writing(job.root):
        try:
            record = _record(job, records, line, mark, encoders)
        except (UserError, OSError) as error:
            if _is_full(error):
                raise UserError(f"No space left for {job.root}; free some and start again: nothing is lost.") from error
            reason = str(error).rstrip(".") if isinstance(error, UserError) else _failure(error, job.source.path)
            return {**line, "reasons": [reason]}
        except Exception as error:  # whatever a strange file provokes must not end a run over thousands of others
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            return {**line, "reasons": [f"{type(error).__name__} in {place}: {_first_line(str(error))}"]}
        records.save("inputs", job.key, record)
    return line


def _record(job: Job, records: Records, line: dict[str, Any], mark: list[int], encoders: Encoders) -> dict[str, Any]:
    """What the next run is told of the input; completes the line.

    Raises:
        UserError, OSError: something that may be well again at the next run, though the file has not changed.
    """
    before = records.load("inputs", job.key) or {}
    same = before.get("stamp") == mark and "file" in before
    file = before["file"] if same else content_id(job.source.path)
    line["content"] = content = content_id(file, job.source.window)
    if before.get("content", content) != content:
        _forget(job, records, before["content"])
    try:
        with records.alone(content):
            line |= _process(job, records, file, content, encoders)
    except UserError as error:
        if _of_the_machine(error):
            raise
        line |= {"reasons": [str(error).rstrip(".")]}
    return {"stamp": mark, "settings": job.settings_key, "file": file, "content": content, "line": line}


def _process(job: Job, records: Records, file: str, content: str, encoders: Encoders) -> dict[str, Any]:
    """The part of the line that depends on the content of the input, which may exist under several names.

    `file` names what the whole file holds, `content` what its window does.
    """
    here = str(job.source.path)
    known = records.load("contents", content) or {"path": here, "settings": "", "part": {"clips": []}}
    twin = known["path"] != here and known["settings"] == job.settings.key()
    if twin and stamp(Path(known["path"])) is not None:
        return {**known["part"], "duplicate_of": known["path"]}
    found = _facts(records, file, job.source.path)
    _picture(records, content, job.source)
    reasons, clips = objections(found, job.settings.filters), []
    if not reasons:
        writer = StoreWriter(job.root, store_spec(job.settings.features))
        planner = Planner(job.source, content, found, job.settings, records)
        drafts = planner.drafts(writer)
        begun = [*known["part"]["clips"], *({"id": draft.plan.id, "verdict": "planned"} for draft in drafts)]
        records.save("contents", content, {"path": here, "settings": "", "part": {"clips": begun}})
        clips = Clipping(planner, writer, encoders).run(drafts)
        reasons = [] if clips else [planner.nothing()]
    drop(job.root, _kept(known["part"]["clips"]) - _kept(clips))  # also of a run that was killed under other settings
    part = {"verdict": overall(clips), "reasons": reasons or common(clips), "video": found.to_record(), "clips": clips}
    records.save("contents", content, {"path": here, "settings": job.settings.key(), "part": part})
    return part


def _forget(job: Job, records: Records, content: str) -> None:
    """The file holds something else now: the clips of what it held before go, unless another file holds it, too."""
    known = records.load("contents", content)
    if known is not None and known["path"] == str(job.source.path):
        drop(job.root, _kept(known["part"]["clips"]))
        records.remove("contents", content)


def _kept(clips: Sequence[Mapping[str, Any]]) -> set[str]:
    return {clip["id"] for clip in clips if clip["verdict"] != REJECTED}


def overall(clips: Sequence[Mapping[str, Any]]) -> str:
    """The best verdict of a source's clips."""
    found = {clip["verdict"] for clip in clips}
    return next((verdict for verdict in (KEPT, UNDECIDED) if verdict in found), REJECTED)


def common(clips: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why no clip of a source is kept without doubt: all different reasons."""
    if overall(clips) == KEPT:
        return []
    return list(dict.fromkeys(reason for clip in clips for reason in clip["reasons"]))


def _facts(records: Records, file: str, path: Path) -> Facts:
    """Found once for all windows of a file."""
    with records.alone(file):
        known = records.load("facts", file)
        if known is not None:
            return Facts(**known)
        found = facts(path)
        records.save("facts", file, asdict(found))
        return found


def _picture(records: Records, content: str, source: Source) -> None:
    """What the report shows of an input without clips: the first picture of its window."""
    if not records.path("thumbs", content, ".jpg").exists():
        first = next(read_frames(source.path, FPS, start=round(source.start * FPS)), None)
        if first is not None:
            records.save_bytes("thumbs", content, ".jpg", thumbnail(first))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_full(error: BaseException) -> bool:
    return any(getattr(cause, "errno", None) in _FULL for cause in _causes(error))


def _of_the_machine(error: BaseException) -> bool:
    """Missing rights, a disk or network that failed: nothing that the size and time stamp of the file would tell."""
    return any(isinstance(cause, OSError) for cause in _causes(error))


def _failure(error: OSError, path: Path) -> str:
    about = "" if error.filename in (None, str(path)) else f" {error.filename}"
    return f"{path} cannot be read ({error.strerror or _first_line(str(error))}{about}); check the file and its rights"


def _first_line(text: str) -> str:
    """Of a message that may go on for pages."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
