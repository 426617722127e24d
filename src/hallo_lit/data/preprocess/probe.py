"""What a file is, before any picture is decoded, and whether it can become clips at all."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hallo_lit.data.preprocess.settings import FPS, Filters
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.data.preprocess.track import Box
from hallo_lit.errors import UserError
from hallo_lit.media.audio import inspect_audio
from hallo_lit.media.video import probe, read_metadata

SELF_MADE = "hallo-lit synthesize"


@dataclass(frozen=True)
class Facts:
    """A video file as it is; `sound_seconds` is 0 without a sound track."""

    width: int
    height: int
    fps: float
    seconds: float
    rotation: int
    variable_rate: bool
    sound_seconds: float
    sound_peak: float  # of full scale
    self_made: bool = False  # by `hallo-lit synthesize`: lips and sound are known to agree
    split: str = ""  # what the file says of itself

    def to_record(self) -> dict[str, Any]:
        return {name: round(v, 4) if isinstance(v, float) else v for name, v in asdict(self).items()}


def facts(path: Path) -> Facts:
    """Reads the header and, for its true length, the whole sound track.

    Raises:
        UserError: not a video, no pictures, or a sound track that is damaged.
    """
    info = probe(path)
    said: dict[str, Any] = {}
    with suppress(UserError):  # most videos say nothing
        said = read_metadata(path)
    seconds, peak = 0.0, 0.0
    if info.has_audio:
        sound = inspect_audio(path)
        seconds, peak = sound.duration, sound.peak
    return Facts(
        info.width,
        info.height,
        float(info.fps),
        float(info.duration),
        int(info.rotation),
        bool(info.variable_rate),
        seconds,
        peak,
        said.get("made_by") == SELF_MADE,
        split if (split := said.get("split")) in ("train", "test") else "",
    )


def window_frames(source: Source, found: Facts) -> tuple[int, int | None]:
    """First frame of the source's window and the end of it; pictures after the end of the sound are not used.

    Raises:
        UserError: the window lies outside the video.
    """
    ends = [source.end, *([found.sound_seconds] if found.sound_seconds else [])]
    first, end = round(source.start * FPS), min(ends)
    last = None if end == float("inf") else round(end * FPS)
    if last is not None and last <= first:
        raise UserError(f"{source.name}: nothing is left between {source.start:g} s and {end:.2f} s.")
    return first, last


def box_in_pixels(source: Source, found: Facts) -> Box | None:
    """The table's box in pixels of the video; shares of the picture when none exceeds 1."""
    if not source.box:
        return None
    wide, high = (found.width, found.height) if max(source.box) <= 1 else (1, 1)
    left, top, right, bottom = source.box
    return left * wide, top * high, right * wide, bottom * high


def objections(found: Facts, filters: Filters) -> list[str]:
    """Reasons to reject the whole file."""
    reasons = []
    if found.fps < filters.min_fps:
        reasons.append(f"its rate of {found.fps:.3g} fps is too low to see lips move (needs {filters.min_fps:g})")
    if not found.sound_seconds and filters.sound == "required":
        reasons.append("it has no sound track, so there is nothing for the lips to follow")
    return reasons
