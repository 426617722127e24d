"""One clip as the metrics read it: frames, sound and landmarks, each produced only when a metric asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hallo_lit.errors import UserError

FPS = 25.0
RATE = 16000
POINTS = 478


class Unmeasurable(Exception):
    """Why a metric cannot count one clip, as a short clause."""


@dataclass
class Video:
    """A clip at 25 frames a second with 16 kHz mono sound.

    Frames stream and may be read any number of times; sound and landmarks are kept while this object lives, so let go
    of it when all metrics have seen it.

    Attributes:
        name: what verdicts call it.
        read: starts a stream of (H, W, 3) uint8 RGB frames.
        hear: (samples,) float in [-1, 1], or None for a silent file.
        find: (F, 478, 3) pixels with NaN rows where no face is found; None lets MediaPipe look at the frames.
        curves: what was really said to the mouth, by name ("aperture", "width"), (F,) each, if anybody knows.
        path: the file, for metrics that look for files beside it.
    """

    name: str
    read: Callable[[], Iterator[np.ndarray]]
    hear: Callable[[], np.ndarray | None]
    find: Callable[[], np.ndarray] | None = None
    curves: Mapping[str, np.ndarray] | None = None
    path: Path | None = None

    @classmethod
    def from_file(
        cls,
        path: Path,
        name: str | None = None,
        audio: Path | None = None,
        curves: Mapping[str, np.ndarray] | None = None,
    ) -> Video:
        """Reads any rate as 25 frames a second; `audio` replaces the sound track of the file."""
        from hallo_lit.media.audio import read_audio
        from hallo_lit.media.video import read_frames

        def hear() -> np.ndarray | None:
            try:
                return np.asarray(read_audio(audio or path, rate=RATE, allow_silence=True))
            except UserError as error:
                raise Unmeasurable(str(error)) from error

        return cls(name or path.stem, lambda: read_frames(path, fps=FPS), hear, curves=curves, path=path)

    @classmethod
    def from_arrays(
        cls,
        name: str,
        frames: np.ndarray,
        wave: np.ndarray | None = None,
        landmarks: np.ndarray | None = None,
        curves: Mapping[str, np.ndarray] | None = None,
    ) -> Video:
        """A clip that is in memory: (F, H, W, 3) uint8 at 25 fps, (samples,) at 16 kHz, (F, 478, 3)."""
        find = None if landmarks is None else lambda: landmarks
        return cls(name, lambda: iter(frames), lambda: wave, find, curves)

    def frames(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 RGB frames, one after the other.

        Raises:
            Unmeasurable: the file cannot be read.
        """
        try:
            yield from self.read()
        except UserError as error:
            raise Unmeasurable(str(error)) from error

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """(n <= size, H, W, 3) uint8."""
        gathered: list[np.ndarray] = []
        for frame in self.frames():
            gathered.append(frame)
            if len(gathered) == size:
                yield np.stack(gathered)
                gathered = []
        if gathered:
            yield np.stack(gathered)

    @cached_property
    def wave(self) -> np.ndarray:
        """(samples,) float64 in [-1, 1] at 16 kHz.

        Raises:
            Unmeasurable: there is no sound, or it is not finite.
        """
        found = self.hear()
        if found is None or len(found) == 0:
            raise Unmeasurable("it has no sound")
        wave = np.asarray(found, np.float64)
        if not np.isfinite(wave).all():
            raise Unmeasurable("its sound holds NaN or infinite samples")
        return wave

    @cached_property
    def landmarks(self) -> np.ndarray:
        """(F, 478, 3) float64 pixels; NaN rows where no face is found.

        Raises:
            Unmeasurable: no frame shows a face.
        """
        found = np.asarray(self.find() if self.find else self.look(), np.float64)
        if not np.isfinite(found).all((1, 2)).any():
            raise Unmeasurable(f"no face was found in any of its {len(found)} frames")
        found[~np.isfinite(found).all((1, 2))] = np.nan
        return found

    def look(self) -> np.ndarray:
        """(F, 478, 3) pixels by MediaPipe; NaN rows where no face is found."""
        from hallo_lit.faces.landmarks import FaceLandmarks

        rows = []
        with FaceLandmarks(static=False, max_faces=1) as detector:
            for frame in self.frames():
                faces = detector.detect(frame)
                rows.append(_three(faces[0]) if faces else np.full((POINTS, 3), np.nan))
        return np.stack(rows) if rows else np.zeros((0, POINTS, 3))

    @property
    def seen(self) -> np.ndarray:
        """(F,) bool: which frames show a face."""
        return np.isfinite(self.landmarks[:, 0, 0])


def _three(points: np.ndarray) -> np.ndarray:
    return points if points.shape[1] == 3 else np.pad(points, ((0, 0), (0, 1)))


def sound_of(fake: Video, real: Video | None) -> np.ndarray:
    """The generated clip's own sound, or the one it was driven by when its file is silent; see `Video.wave`."""
    try:
        return fake.wave
    except Unmeasurable:
        if real is None:
            raise
        return real.wave


def truth_of(real: Video | None) -> Video:
    """
    Raises:
        Unmeasurable: there is no ground truth to compare with.
    """
    if real is None:
        raise Unmeasurable("it has no ground truth to compare with")
    return real
