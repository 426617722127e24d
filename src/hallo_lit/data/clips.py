"""Which frames make a sample: integers only, no video and no tensors.

A sample of a video with `length` frames is a clip of f consecutive frames, the m frames before it (motion frames), one
reference frame that plays the portrait, and per frame the audio rows around it. Models whose frames do not see each
other may take their f frames from anywhere in the video instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from hallo_lit.errors import UserError

Reference = Literal["anywhere", "outside", "first"]
Start = Literal["repeat_reference", "repeat_first", "require"]


@dataclass(frozen=True)
class ClipIndices:
    """Frame numbers of one sample."""

    frames: Sequence[int]  # f rising numbers, consecutive unless scattered
    past: tuple[int, ...]  # the m frames before them, oldest first; may repeat a stand-in at the start of a video
    reference: int


@dataclass(frozen=True)
class ClipPolicy:
    """How samples are drawn; stage 2 of the paper is the default, stage 1 is `ClipPolicy.pairs()`.

    reference: `anywhere` may fall inside the clip (paper and original), `outside` keeps at least `min_distance` frames
    away from it (or as far as the video allows), `first` is the first frame of the video (the test protocol).
    start: what stands in for motion frames that would lie before the video. `repeat_reference` takes the reference, as
    inference does with the portrait; `repeat_first` the first frame; `require` never draws such clips (original).
    scattered: the frames of a clip and its reference lie anywhere in the video, all different; `reference` and
    `min_distance` then mean nothing. More variety per step for models without temporal modules.
    """

    frames: int = 14
    motion: int = 2
    reference: Reference = "anywhere"
    min_distance: int = 1
    start: Start = "repeat_reference"
    audio_radius: int = 2
    scattered: bool = False

    def __post_init__(self) -> None:
        if self.frames < 1 or self.motion < 0 or self.min_distance < 1 or self.audio_radius < 0:
            raise UserError(f"A clip cannot be drawn with these numbers: {self}.")
        if self.scattered and self.motion:
            raise UserError("Scattered frames have no motion frames before them; set data.samples.policy.motion=0.")
        for name, value, known in (("reference", self.reference, Reference), ("start", self.start, Start)):
            if value not in known.__args__:  # type: ignore[attr-defined]
                raise UserError(f"The clip policy {name} is {value!r}; it must be one of {', '.join(known.__args__)}.")  # type: ignore[attr-defined]

    @classmethod
    def pairs(cls, min_distance: int = 30) -> ClipPolicy:
        """Stage 1: one target frame and a reference at least `min_distance` frames away."""
        return cls(1, 0, "outside", min_distance)

    @property
    def needed(self) -> int:
        """Frames a video must have: the clip, its motion frames, a reference."""
        return self.frames + self.motion + 1

    def starts(self, length: int) -> range | tuple[int, ...]:
        """All first frames a clip may have; a video shorter than `needed` has none.

        Under `repeat_reference` past frames are all real or all stand-ins, the two cases that inference knows.
        """
        if length < self.needed:
            return ()
        last = length - self.frames
        if self.start == "require":
            return range(self.motion, last + 1)
        if self.start == "repeat_first" or self.motion == 0:
            return range(last + 1)
        return (0, *range(self.motion, last + 1))

    def references(self, length: int, start: int) -> tuple[range, range]:
        """Frames that may be the reference of the clip at `start`: those of the first range and of the second."""
        if self.reference == "first":
            return range(1), range(0)
        if self.reference == "anywhere":
            return range(length), range(0)
        stop = start + self.frames
        before, after = range(max(0, start - self.min_distance + 1)), range(stop + self.min_distance - 1, length)
        if len(before) or len(after):
            return before, after
        return (range(1), range(0)) if start > length - stop else (range(0), range(length - 1, length))

    def at(self, start: int, reference: int) -> ClipIndices:
        """The sample with these two frames."""
        stand_in = reference if self.start == "repeat_reference" else 0
        past = tuple(i if i >= 0 else stand_in for i in range(start - self.motion, start))
        return ClipIndices(range(start, start + self.frames), past, reference)

    def draw(self, length: int, random: Random, weights: Sequence[float] | None = None) -> ClipIndices:
        """A uniformly drawn sample. The video must have `needed` frames.

        weights: of the frames, positive, for scattered ones: one of weight 2 is in the clip about twice as often as one
        of 1, and half as often its reference.
        """
        if self.scattered and weights is not None:
            # the largest u^(1/w) are a weighted sample without replacement (Efraimidis and Spirakis 2006)
            reference = max(range(length), key=lambda i: random.random() ** weights[i])
            others = [i for i in range(length) if i != reference]
            often = sorted(others, key=lambda i: random.random() ** (1 / weights[i]))[-self.frames :]
            return ClipIndices(tuple(sorted(often)), (), reference)
        if self.scattered:
            *frames, reference = random.sample(range(length), self.frames + 1)
            return ClipIndices(tuple(sorted(frames)), (), reference)
        starts = self.starts(length)
        start = starts[int(random.random() * len(starts))]
        before, after = self.references(length, start)
        chosen = int(random.random() * (len(before) + len(after)))
        return self.at(start, before[chosen] if chosen < len(before) else after[chosen - len(before)])


def audio_rows(frames: Sequence[int], length: int, radius: int) -> tuple[range, list[list[int]]]:
    """Rows to read for a clip's audio windows, and each window as positions within those rows.

    The window of frame i is i - radius .. i + radius, clamped to the recording, as at inference.
    """
    low, high = max(0, min(frames) - radius), min(length, max(frames) + 1 + radius)
    windows = [[min(max(i + k, 0), length - 1) - low for k in range(-radius, radius + 1)] for i in frames]
    return range(low, high), windows


@dataclass(frozen=True)
class Span:
    """One clip of a longer video at inference."""

    start: int
    frames: int  # length of the clip, padding included
    kept: int  # frames of it that belong to the video

    def rows(self, total: int) -> list[int]:
        """Which rows of the video's features the clip reads: beyond the end, the last one again."""
        return [min(i, total - 1) for i in range(self.start, self.start + self.frames)]


def consecutive(total: int, frames: int) -> Iterator[Span]:
    """Cuts `total` frames into clips of `frames` each, the last one padded."""
    if frames < 1:
        raise ValueError("a clip has at least one frame")
    for start in range(0, total, frames):
        yield Span(start, frames, min(frames, total - start))
