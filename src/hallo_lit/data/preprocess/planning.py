"""Which clips a source can give: from the first pass, before any of them is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from hallo_lit.data.preprocess.analysis import Analysis, analyse
from hallo_lit.data.preprocess.crop import padding, scaled, square, square_around
from hallo_lit.data.preprocess.faces import open_eyes
from hallo_lit.data.preprocess.probe import Facts, box_in_pixels, window_frames
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.render import Plan
from hallo_lit.data.preprocess.segments import Segment, segments
from hallo_lit.data.preprocess.settings import FPS, Settings
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.data.preprocess.track import Box
from hallo_lit.data.store import StoreWriter, content_id
from hallo_lit.media.video import read_frames


@dataclass(frozen=True)
class Draft:
    """A planned clip with what is measured of it so far; `done` when that is all."""

    plan: Plan
    measured: dict[str, float | None]
    done: bool


class Planner:
    """The first pass over one source, or what an earlier run wrote down of it.

    Raises:
        UserError: the source's window lies outside the video.
    """

    def __init__(self, source: Source, content: str, found: Facts, settings: Settings, records: Records) -> None:
        self.source, self.content, self.found = source, content, found
        self.settings, self.records = settings, records
        self.first, self.last = window_frames(source, found)

    def frames(self) -> Iterator[np.ndarray]:
        """All pictures of the window at 25 a second."""
        count = None if self.last is None else self.last - self.first
        return islice(read_frames(self.source.path, FPS, start=self.first), count)

    def drafts(self, writer: StoreWriter) -> list[Draft]:
        """The clips to be, in order of time; measured values are those of earlier runs where there are any."""
        analysis = self._analysis()
        factor = self.found.height / max(1, analysis.size[0])
        given, picture = box_in_pixels(self.source, self.found), (self.found.height, self.found.width)
        inside = scaled(given, 1 / factor) if given else None
        drafts = []
        for part in segments(analysis, self.settings.clips, self.settings.tracking.max_gap, inside):
            boxes = tuple(scaled(box, factor) for box in part.boxes)
            box = square_around(given, picture) if given else square(boxes, picture, self.settings.crop)
            box = (round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1))
            id = content_id(self.content, self.settings.crop_key(), f"{part.start} {part.end} {box}")
            known = self._known(id, writer)
            measured = known or rounded(self._first_values(part, boxes, padding(box, picture)))
            drafts.append(Draft(Plan(id, part.start, part.end, box), measured, known is not None))
        return drafts

    def nothing(self) -> str:
        """Why a source without drafts has none."""
        analysis, least = self._analysis(), self.settings.clips.min_frames
        if analysis.frames < least:
            return f"it has {analysis.frames} frames at {FPS} per second, fewer than the {least} a clip needs"
        if not analysis.tracks:
            return f"no face was found in {analysis.frames / FPS:.1f} s"
        return f"no face is in sight for {least} frames without a cut, a gap or fast motion"

    def _analysis(self) -> Analysis:
        key = content_id(self.content, self.settings.analysis_key(), str(self.last))
        record = self.records.load("analyses", key)
        if record is None:
            with open_eyes(self.settings.tracking) as eyes:
                record = analyse(self.frames(), self.settings, eyes).to_record()
            self.records.save("analyses", key, record)
        return Analysis.from_record(record)  # also when it is new: ids depend on its rounding

    def _known(self, id: str, writer: StoreWriter) -> dict[str, float | None] | None:
        """What an earlier run measured, also one that was killed right after storing the clip."""
        record = self.records.load("clips", id)
        if record is None and (header := writer.header(id)) is not None:
            record = header.metadata.get("preprocess")
        return record["measured"] if record else None

    def _first_values(self, part: Segment, boxes: Sequence[Box], outside: float) -> dict[str, float | None]:
        return {
            "seconds": part.frames / FPS,
            "sound": 1.0 if self.found.sound_seconds else 0.0,
            "face": float(np.median([box[3] - box[1] for box in boxes])),
            "other_face": part.other_face,
            "camera": part.camera,
            "padding": outside,
        }


def rounded(measured: dict[str, float | None]) -> dict[str, float | None]:
    """As values are written down, so that a verdict is the same before and after."""
    return {name: None if value is None else round(value, 4) for name, value in measured.items()}
