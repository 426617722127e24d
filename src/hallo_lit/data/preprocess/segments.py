"""Which stretches of a source become clips: one face, one shot, neither too short nor too long. Arithmetic only."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hallo_lit.data.preprocess.analysis import Analysis
from hallo_lit.data.preprocess.settings import FPS, Clips
from hallo_lit.data.preprocess.track import Box, Track

_BRIEF = 0.2  # share of a clip in which another face must be seen to count
_PLACE = 10 * FPS  # frames that are looked up at once


@dataclass(frozen=True)
class Segment:
    """A clip to be: [start, end) frames of the source's window, and what the first pass knows of it."""

    start: int
    end: int
    boxes: tuple[Box, ...]  # of the face at each look, pixels of the pictures that were looked at
    other_face: float  # height of the largest other face over this one's
    camera: float | None  # motion in picture widths per second, exceeded by a tenth of the looks; None = unknown

    @property
    def frames(self) -> int:
        return self.end - self.start


def segments(analysis: Analysis, clips: Clips, gap: float, inside: Box | None = None) -> list[Segment]:
    """All stretches of at least `min_frames`, in order of time, larger faces first.

    Args:
        analysis: of the first pass.
        clips: the limits.
        gap: seconds for which a face may be missed.
        inside: keep only faces whose centre lies in this box.
    """
    found, together = [], _Overlaps(analysis.tracks)
    for track in analysis.tracks:
        if inside is not None and not _centred(track, inside):
            continue
        for start, end in _stretches(track, analysis, clips, round(gap * FPS)):
            found += [_segment(track, analysis, together, a, b) for a, b in divide(start, end, clips)]
    return sorted(found, key=lambda s: (s.start, s.end, -_height(s.boxes)))


def divide(start: int, end: int, clips: Clips) -> list[tuple[int, int]]:
    """[start, end) in the fewest equal pieces that are not too long; nothing when it is too short."""
    count = max(1, -(-(end - start) // round(clips.max_seconds * FPS)))
    edges = [start + (end - start) * i // count for i in range(count + 1)]
    return [(a, b) for a, b in itertools.pairwise(edges) if b - a >= clips.min_frames]


def _stretches(track: Track, analysis: Analysis, clips: Clips, gap: int) -> list[tuple[int, int]]:
    """Where the face is in sight and calm without interruption inside one shot.

    A stretch reaches up to the cut when the face is seen at the first or last look of the shot.
    """
    found: list[tuple[int, int]] = []
    every = analysis.every
    begin = bisect_right(analysis.shots, track.frames[0], key=lambda shot: shot[1])
    for first, last in analysis.shots[begin:]:
        if first > track.frames[-1]:
            break
        seen = _seen(track, first, last)
        looks = list(zip(track.frames[seen], track.boxes[seen], strict=True))
        for run in _runs(looks, clips, gap):
            start = first if run[0] - first < every else run[0]
            found.append((start, last if last - run[-1] <= every else run[-1] + 1))
    return found


def _runs(looks: list[tuple[int, Box]], clips: Clips, gap: int) -> Iterator[list[int]]:
    """Frames of consecutive looks, divided at gaps, at fast motion, and where the face has travelled too far."""
    run: list[int] = []
    places: list[np.ndarray] = []
    height = _height(tuple(box for _, box in looks)) if looks else 1.0
    for frame, box in looks:
        place = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]) / height
        if run:
            speed = float(np.linalg.norm(place - places[-1])) * FPS / (frame - run[-1])
            travel = float(np.linalg.norm(np.ptp([*places, place], axis=0)))
            if frame - run[-1] > gap or speed > clips.max_speed or travel > clips.max_travel:
                yield run
                run, places = [], []
        run.append(frame)
        places.append(place)
    if run:
        yield run


class _Overlaps:
    """Finds the tracks that are in sight during a stretch without asking all of them."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._near: dict[int, list[Track]] = defaultdict(list)
        for track in tracks:
            for place in range(track.frames[0] // _PLACE, track.frames[-1] // _PLACE + 1):
                self._near[place].append(track)

    def during(self, start: int, end: int) -> list[Track]:
        """Each that has looks in [start, end), and few others."""
        near = (self._near.get(place, []) for place in range(start // _PLACE, (end - 1) // _PLACE + 1))
        return list({id(track): track for tracks in near for track in tracks}.values())


def _segment(track: Track, analysis: Analysis, together: _Overlaps, start: int, end: int) -> Segment:
    boxes = _within(track, start, end) or (track.boxes[int(np.argmin(np.abs(np.array(track.frames) - start)))],)
    others = [_within(other, start, end) for other in together.during(start, end) if other is not track]
    looks = max(1, (end - start) // analysis.every)
    lasting = [_height(other) for other in others if len(other) >= max(2, _BRIEF * looks)]
    moves = np.array(analysis.camera[-(-start // analysis.every) + 1 : -(-end // analysis.every)])
    known = moves[np.isfinite(moves)]
    camera = float(np.percentile(known, 90)) * FPS / analysis.every if len(known) else None
    return Segment(start, end, boxes, max(lasting, default=0.0) / _height(boxes), camera)


def _within(track: Track, start: int, end: int) -> tuple[Box, ...]:
    return tuple(track.boxes[_seen(track, start, end)])


def _seen(track: Track, start: int, end: int) -> slice:
    """Its looks in [start, end), which are in order of time."""
    return slice(bisect_left(track.frames, start), bisect_left(track.frames, end))


def _height(boxes: tuple[Box, ...]) -> float:
    return float(np.median([box[3] - box[1] for box in boxes]))


def _centred(track: Track, inside: Box) -> bool:
    left, top, right, bottom = np.median(np.array(track.boxes), axis=0)
    return bool(inside[0] <= (left + right) / 2 < inside[2] and inside[1] <= (top + bottom) / 2 < inside[3])
