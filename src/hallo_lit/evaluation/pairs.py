"""Generated videos beside the real ones they stand for, each looked at before any metric sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hallo_lit.errors import UserError
from hallo_lit.evaluation.cases import Case, videos_in
from hallo_lit.evaluation.landmark_cache import remember
from hallo_lit.media.video import probe
from hallo_lit.media.video_reader import VideoInfo
from hallo_lit.metrics.video import FPS, Video

OTHER_LENGTH = 1.5 / FPS  # seconds
SHOWN = 3
ALL = slice(None)
NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Pair:
    """
    Attributes:
        index: place in the test set.
        fault: why it cannot be scored; the videos are None then.
        remark: what is special about it although it counts.
    """

    index: int
    name: str
    fake: Video | None = None
    real: Video | None = None
    fault: str = ""
    remark: str = ""


def strangers(fakes: Path, cases: Sequence[Case]) -> list[str]:
    """One sentence about videos of a folder that no case asked for, if there are any."""
    found = sorted(set(videos_in(fakes)) - {case.name for case in cases})
    shown = ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
    videos, have, were = ("video", "has", "was") if len(found) == 1 else ("videos", "have", "were")
    said = f"{len(found)} {videos} of {fakes} {have} no real partner and {were} left out: {shown}"
    return [said] if found else []


def pairs(fakes: Path, cases: Sequence[Case], share: slice = ALL, faults: Mapping[str, str] = NONE) -> Iterator[Pair]:
    """One pair per case, in order; `share` is the part of them that this process takes.

    faults: why clips have no video, by name, where that is known.

    Raises:
        UserError: `fakes` is no folder of videos.
    """
    made = videos_in(fakes)
    for index, case in list(enumerate(cases))[share]:
        path = made.get(case.name)
        if case.name in faults:
            yield Pair(index, case.name, fault=faults[case.name])
        elif path is None:
            yield Pair(index, case.name, fault=f"{fakes} has no video of this name")
        else:
            yield _look(index, path, case)


def real_pairs(cases: Sequence[Case], share: slice = ALL) -> Iterator[Pair]:
    """Every real video beside itself."""
    for index, case in list(enumerate(cases))[share]:
        try:
            if case.truth is None:
                raise UserError("there is no real video of it")
            probe(case.truth)
        except UserError as error:
            yield Pair(index, case.name, fault=f"its real video: {error}")
            continue
        real = _real(case, case.truth)
        yield Pair(index, case.name, real, real)


def _look(index: int, path: Path, case: Case) -> Pair:
    try:
        found = probe(path)
        true = None if case.truth is None else probe(case.truth)
    except UserError as error:
        return Pair(index, case.name, fault=str(error))
    fake = Video.from_file(path, case.name)
    real = None if case.truth is None else _real(case, case.truth)
    return Pair(index, case.name, fake, real, remark="" if true is None else _differences(found, true))


def _real(case: Case, path: Path) -> Video:
    video = Video.from_file(path, case.name, curves=None if case.curves is None else case.curves())
    return remember(video, case.landmarks)


def _differences(made: VideoInfo, true: VideoInfo) -> str:
    found = []
    if abs(made.duration - true.duration) > OTHER_LENGTH:
        found.append(f"it lasts {made.duration:.2f} s, the real video {true.duration:.2f} s")
    for name, info in (("it", made), ("the real video", true)):
        if info.variable_rate or abs(info.fps - FPS) > 0.01:
            found.append(f"{name} has {'about ' if info.variable_rate else ''}{info.fps:.4g} fps, read as {FPS:g}")
    if (made.width, made.height) != (true.width, true.height):
        found.append(f"it has {made.width}x{made.height} pixels, the real video {true.width}x{true.height}")
    return "; ".join(found)
