"""The clips of one source: rendered, judged, stored, and kept up to date."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hallo_lit.data.clip_file import read_tensors
from hallo_lit.data.index import clip_path
from hallo_lit.data.manifest import identity_of
from hallo_lit.data.preprocess.faces import follow_face
from hallo_lit.data.preprocess.features import Encoders
from hallo_lit.data.preprocess.filters import Verdict, judge
from hallo_lit.data.preprocess.measure import bridged, measure
from hallo_lit.data.preprocess.planning import Draft, Planner, rounded
from hallo_lit.data.preprocess.render import Plan, Rendered, render
from hallo_lit.data.preprocess.settings import FPS
from hallo_lit.data.preprocess.sound import SoundReader
from hallo_lit.data.store import ClipItem, StoreWriter
from hallo_lit.media.audio import stream_audio

SAID = ("source", "identity", "split", "metadata")


class Clipping:
    """The second half of the work on one source; every step asks first whether an earlier run did it."""

    def __init__(self, planner: Planner, writer: StoreWriter, encoders: Encoders) -> None:
        self.planner, self.writer, self.encoders = planner, writer, encoders
        self.source, self.found, self.settings = planner.source, planner.found, planner.settings
        self.filters = self.settings.filters
        if self.found.self_made:
            self.filters = replace(self.filters, lip_audio=False)

    def run(self, planned: Iterable[Draft]) -> list[dict[str, Any]]:
        """Report entries of the planned clips, in their order; kept ones are then in the store, others are not."""
        drafts = {draft.plan.id: draft for draft in planned}
        todo = [draft.plan for draft in drafts.values() if self._needs_render(draft)]
        if todo:
            with closing(self._rendered(todo)) as clips:
                for clip in clips:
                    drafts[clip.plan.id] = self._take(drafts[clip.plan.id], clip)
        for draft in drafts.values():
            if self._verdict(draft).keeps and draft.done:
                self._complete(draft)
            else:
                drop(self.writer.root, [draft.plan.id])
        return [self._entry(draft) for draft in drafts.values()]

    def _verdict(self, draft: Draft) -> Verdict:
        return judge(draft.measured, self.filters)

    def _needs_render(self, draft: Draft) -> bool:
        if not self._verdict(draft).keeps:
            return False
        return not draft.done or bool(self.writer.missing(draft.plan.id) & {"video", "landmarks"})

    def _rendered(self, plans: list[Plan]) -> Generator[Rendered, None, None]:
        chunks = stream_audio(self.source.path) if self.found.sound_seconds else None
        sound = SoundReader(chunks, self.planner.first / FPS) if chunks is not None else None
        tracking = self.settings.tracking
        return render(
            self.planner.frames(), sound, plans, self.settings.crop, lambda: follow_face(tracking), self._scratch
        )

    def _scratch(self) -> Path:
        return self.writer.scratch / f"{secrets.token_hex(8)}.mp4"

    def _take(self, draft: Draft, clip: Rendered) -> Draft:
        """Measures a rendered clip and, if it is to be kept, stores it with its features in one write."""
        try:
            wave = None if clip.wave is None else clip.wave.numpy()
            draft = Draft(draft.plan, rounded({**draft.measured, **measure(clip.seen, wave)}), True)
            self.planner.records.save_bytes("thumbs", draft.plan.id, ".jpg", clip.thumb)
            if self._verdict(draft).keeps:
                landmarks = bridged(clip.seen.landmarks)
                tensors = self.encoders.compute(self._wanted(), clip.video, landmarks)
                item = self._item(draft, {**tensors, "landmarks": landmarks}, clip.video)
                self.writer.add(item, replace=True)
            self.planner.records.save("clips", draft.plan.id, {"measured": draft.measured})
        finally:
            clip.video.unlink(missing_ok=True)
        return draft

    def _complete(self, draft: Draft) -> None:
        """Brings the stored clip up to date: what is said of it, and features that are absent or of another encoder."""
        id = draft.plan.id
        before, now = self.writer.header(id), self._item(draft)
        if before is not None and any(getattr(before, name) != getattr(now, name) for name in SAID):
            self.writer.add(now, replace=True)
        if missing := self.writer.missing(id) & self._wanted():
            landmarks = read_tensors(clip_path(self.writer.root, id))["landmarks"]
            tensors = self.encoders.compute(missing, clip_path(self.writer.root, id, ".mp4"), landmarks)
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
            split=self.source.split or self.found.split,
            frames=plan.end - plan.start,
            size=(self.settings.crop.size, self.settings.crop.size),
            tensors=tensors or {},
            video=video,
            id=plan.id,
            fps=FPS,
            start=(self.planner.first + plan.start) / FPS,
            metadata={"preprocess": {**about, "box": list(plan.box)}},
        )

    def _entry(self, draft: Draft) -> dict[str, Any]:
        """The clip in the report."""
        verdict, plan = self._verdict(draft), draft.plan
        return {
            "id": plan.id,
            "start": (self.planner.first + plan.start) / FPS,
            "end": (self.planner.first + plan.end) / FPS,
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
