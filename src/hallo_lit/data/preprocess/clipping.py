"""The clips of one source: planned from the first pass, rendered in the second, judged, stored, and kept up to date."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from hallo_lit.data.clip_file import read_tensors
from hallo_lit.data.index import clip_path
from hallo_lit.data.manifest import identity_of
from hallo_lit.data.preprocess.analysis import Analysis, analyse
from hallo_lit.data.preprocess.crop import padding, scaled, square, square_around
from hallo_lit.data.preprocess.faces import follow_face, open_eyes
from hallo_lit.data.preprocess.features import Encoders
from hallo_lit.data.preprocess.filters import Verdict, judge
from hallo_lit.data.preprocess.measure import bridged, measure
from hallo_lit.data.preprocess.probe import Facts, box_in_pixels, window_frames
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.render import Plan, Rendered, render
from hallo_lit.data.preprocess.segments import Segment, segments
from hallo_lit.data.preprocess.settings import FPS, Settings
from hallo_lit.data.preprocess.sound import SoundReader
from hallo_lit.data.preprocess.sources import Source
from hallo_lit.data.store import ClipItem, StoreWriter, content_id
from hallo_lit.media.audio import stream_audio
from hallo_lit.media.video import read_frames


@dataclass(frozen=True)
class Draft:
    """A planned clip with what is measured of it so far; `done` when that is all."""

    plan: Plan
    measured: dict[str, float | None]
    done: bool


class Clipping:
    """The work on one source; every step asks first whether an earlier run did it."""

    def __init__(
        self, source: Source, content: str, found: Facts, settings: Settings, records: Records, writer: StoreWriter
    ) -> None:
        self.source, self.content, self.found = source, content, found
        self.settings, self.records, self.writer = settings, records, writer
        self.first, self.last = window_frames(source, found)

    def plan(self) -> dict[str, Draft]:
        """The clips to be, by id, in order of time."""
        return {draft.plan.id: draft for draft in self._drafts()}

    def run(self, drafts: dict[str, Draft], encoders: Encoders) -> list[dict[str, Any]]:
        """Report entries of planned clips, in their order; kept ones are then in the store with all their features."""
        drafts = dict(drafts)
        todo = [draft.plan for draft in drafts.values() if self._needs_render(draft)]
        if todo:
            with closing(self._rendered(todo)) as clips:
                for clip in clips:
                    drafts[clip.plan.id] = self._take(drafts[clip.plan.id], clip, encoders)
        for draft in drafts.values():
            if self._verdict(draft).keeps and draft.done:
                self._complete(draft, encoders)
            else:
                drop(self.writer.root, [draft.plan.id])
        return [self._entry(draft) for draft in drafts.values()]

    def nothing(self) -> str:
        """Why a source without clips has none."""
        analysis, least = self._analysis(), self.settings.clips.min_frames
        if analysis.frames < least:
            return f"it has {analysis.frames} frames at {FPS} per second, fewer than the {least} a clip needs"
        seen = max((len(track.frames) for track in analysis.tracks), default=0) * analysis.every
        if not seen:
            return f"no face was found in {analysis.frames / FPS:.1f} s"
        return f"no face is in sight for {least} frames without a cut or a gap"

    def _frames(self) -> Iterator[np.ndarray]:
        return islice(read_frames(self.source.path, FPS), self.first, self.last)

    def _analysis(self) -> Analysis:
        key = content_id(self.content, self.settings.analysis_key(), str(self.last))
        if (record := self.records.load("analyses", key)) is not None:
            return Analysis.from_record(record)
        with open_eyes(self.settings.tracking) as eyes:
            record = analyse(self._frames(), self.settings, eyes).to_record()
        self.records.save("analyses", key, record)
        return Analysis.from_record(record)  # rounded, as a later run will find it: ids depend on it

    def _drafts(self) -> Iterator[Draft]:
        analysis = self._analysis()
        factor = self.found.height / max(1, analysis.size[0])
        given = box_in_pixels(self.source, self.found)
        inside = scaled(given, 1 / factor) if given else None
        for part in segments(analysis, self.settings.clips, self.settings.tracking.max_gap, inside):
            boxes = tuple(scaled(box, factor) for box in part.boxes)
            picture = (self.found.height, self.found.width)
            box = square_around(given, picture) if given else square(boxes, picture, self.settings.crop)
            box = (round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1))
            id = content_id(self.content, self.settings.crop_key(), f"{part.start} {part.end} {box}")
            known = self._known(id)
            measured = known or self._planned(part, boxes, padding(box, picture))
            yield Draft(Plan(id, part.start, part.end, box), measured, known is not None)

    def _known(self, id: str) -> dict[str, float | None] | None:
        """What an earlier run measured, also one that was killed right after storing the clip."""
        record = self.records.load("clips", id)
        if record is None and (header := self.writer.header(id)) is not None:
            record = header.metadata.get("preprocess")
        return record["measured"] if record else None

    def _planned(self, part: Segment, boxes: Iterable[Any], outside: float) -> dict[str, float | None]:
        """What the first pass already knows of a clip."""
        values: dict[str, float | None] = {
            "seconds": part.frames / FPS,
            "sound": 1.0 if self.found.sound_seconds else 0.0,
            "face": float(np.median([box[3] - box[1] for box in boxes])),
            "other_face": part.other_face,
            "camera": part.camera,
            "padding": outside,
        }
        return _rounded(values)

    def _verdict(self, draft: Draft) -> Verdict:
        return judge(draft.measured, self.settings.filters)

    def _needs_render(self, draft: Draft) -> bool:
        if not self._verdict(draft).keeps:
            return False
        return not draft.done or bool(self.writer.missing(draft.plan.id) & {"video", "landmarks"})

    def _rendered(self, plans: list[Plan]) -> Generator[Rendered, None, None]:
        chunks = stream_audio(self.source.path) if self.found.sound_seconds else None
        sound = SoundReader(chunks, self.first / FPS) if chunks is not None else None
        tracking = self.settings.tracking
        return render(self._frames(), sound, plans, self.settings.crop, lambda: follow_face(tracking), self._scratch)

    def _scratch(self) -> Path:
        return self.writer.scratch / f"{secrets.token_hex(8)}.mp4"

    def _take(self, draft: Draft, clip: Rendered, encoders: Encoders) -> Draft:
        """Measures a rendered clip and, if it is to be kept, stores it with its features in one write."""
        try:
            wave = None if clip.wave is None else clip.wave.numpy()
            draft = Draft(draft.plan, _rounded({**draft.measured, **measure(clip.seen, wave)}), True)
            self.records.save_bytes("thumbs", draft.plan.id, ".jpg", clip.thumb)
            if self._verdict(draft).keeps:
                landmarks = bridged(clip.seen.landmarks)
                tensors = encoders.compute(self._wanted(), clip.video, landmarks)
                item = self._item(draft, {**tensors, "landmarks": landmarks}, clip.video)
                self.writer.add(item, replace=True)
            self.records.save("clips", draft.plan.id, {"measured": draft.measured})
        finally:
            clip.video.unlink(missing_ok=True)
        return draft

    def _complete(self, draft: Draft, encoders: Encoders) -> None:
        """Brings the stored clip up to date: who it is, and every feature that is absent or of another encoder."""
        id = draft.plan.id
        header = self.writer.header(id)
        now = self._item(draft)
        if header and (header.identity, header.split, header.source) != (now.identity, now.split, now.source):
            self.writer.add(now, replace=True)
        if missing := self.writer.missing(id) & self._wanted():
            landmarks = read_tensors(clip_path(self.writer.root, id))["landmarks"]
            tensors = encoders.compute(missing, clip_path(self.writer.root, id, ".mp4"), landmarks)
            self.writer.add(self._item(draft, tensors), replace=True)

    def _wanted(self) -> set[str]:
        """Features that are computed from a stored clip."""
        lacking = set() if self.found.sound_seconds else {"audio"}
        return set(self.writer.spec.features) - {"video", "landmarks"} - lacking

    def _item(self, draft: Draft, tensors: dict[str, np.ndarray] | None = None, video: Path | None = None) -> ClipItem:
        plan, verdict = draft.plan, self._verdict(draft)
        about = {"verdict": verdict.status, "reasons": list(verdict.reasons), "measured": draft.measured}
        return ClipItem(
            source=self.source.name,
            identity=self.source.identity or identity_of(self.source.name),
            split=self.source.split,
            frames=plan.end - plan.start,
            size=(self.settings.crop.size, self.settings.crop.size),
            tensors=tensors or {},
            video=video,
            id=plan.id,
            fps=FPS,
            start=(self.first + plan.start) / FPS,
            metadata={"preprocess": {**about, "box": list(plan.box)}},
        )

    def _entry(self, draft: Draft) -> dict[str, Any]:
        """The clip in the report."""
        verdict, plan = self._verdict(draft), draft.plan
        return {
            "id": plan.id,
            "start": (self.first + plan.start) / FPS,
            "end": (self.first + plan.end) / FPS,
            "box": list(plan.box),
            "verdict": verdict.status,
            "reasons": list(verdict.reasons),
            "measured": draft.measured,
        }


def drop(root: Path, ids: Iterable[str]) -> None:
    """Takes clips out of the store; the index follows at the next `finish`."""
    for id in ids:
        clip_path(root, id).unlink(missing_ok=True)
        clip_path(root, id, ".mp4").unlink(missing_ok=True)


def _rounded(measured: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in measured.items()}
