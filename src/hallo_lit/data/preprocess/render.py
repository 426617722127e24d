"""The second pass over a source: every clip is cropped, written as an mp4 with its sound, and looked at closely."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from hallo_lit.data.preprocess.measure import Seen, sharpness
from hallo_lit.data.preprocess.settings import FPS, Crop
from hallo_lit.data.preprocess.sound import SoundReader
from hallo_lit.data.preprocess.track import Box
from hallo_lit.errors import UserError
from hallo_lit.faces.crop import crop
from hallo_lit.media.video import Encoding, VideoWriter

See = Callable[[np.ndarray], np.ndarray | None]  # picture -> landmarks (478, 3) of its face
Follow = Callable[[], AbstractContextManager[See]]  # starts following one face through a clip
SHARP_EVERY = 5
THUMB = 160  # pixels


@dataclass(frozen=True)
class Plan:
    """A clip to make: [start, end) frames of the window, and the square to cut out, in pixels of the source."""

    id: str
    start: int
    end: int
    box: Box


@dataclass(frozen=True)
class Rendered:
    """A clip that was made; whoever takes it removes `video` or moves it into the store."""

    plan: Plan
    video: Path
    seen: Seen
    wave: Tensor | None
    thumb: bytes  # JPEG of its middle frame


class _Clip:
    """One clip in the making."""

    def __init__(self, plan: Plan, path: Path, wave: Tensor | None, settings: Crop, see: See) -> None:
        self.plan, self.path, self.wave, self.size = plan, path, wave, settings.size
        encoding = Encoding(settings.quality, settings.preset, settings.keyframe_seconds)
        self.writer = VideoWriter(path, (settings.size, settings.size), FPS, wave, encoding=encoding)
        self._see = see
        self._faces: list[np.ndarray | None] = []
        self._sharp: list[float] = []
        self._thumb = b""

    def add(self, image: np.ndarray) -> None:
        picture = crop(image, self.plan.box, (self.size, self.size))
        self.writer.write(picture)
        face = self._see(picture)
        if face is not None and len(self._faces) % SHARP_EVERY == 0:
            self._sharp.append(sharpness(image, self._in_source(face)))
        if len(self._faces) == (self.plan.end - self.plan.start) // 2:
            self._thumb = thumbnail(picture)
        self._faces.append(face)

    def _in_source(self, face: np.ndarray) -> np.ndarray:
        """Landmarks (478, 2) in pixels of the source: how sharp it is must not depend on the size of the crop."""
        left, top, right, _ = (round(side) for side in self.plan.box)
        return face[:, :2] * ((right - left) / self.size) + (left, top)

    def finished(self) -> Rendered:
        nothing = np.full((478, 3), np.nan)
        landmarks = np.stack([nothing if face is None else face for face in self._faces])
        seen = Seen(landmarks, float(np.median(self._sharp)) if self._sharp else 0.0)
        return Rendered(self.plan, self.path, seen, self.wave, self._thumb)


def render(
    frames: Iterable[np.ndarray],
    sound: SoundReader | None,
    plans: Sequence[Plan],
    settings: Crop,
    follow: Follow,
    scratch: Callable[[], Path],
) -> Generator[Rendered, None, None]:
    """Makes all clips of a source in one stream of its frames; several at a time when they overlap.

    `scratch` names new files; those of clips that were begun but not finished are removed, also when the generator is
    closed.

    Raises:
        UserError: the frames end before the last clip does.
    """
    waiting = sorted(plans, key=lambda plan: plan.start, reverse=True)
    with ExitStack() as stack:
        live: list[tuple[_Clip, ExitStack]] = []
        for index, image in enumerate(frames):
            while waiting and waiting[-1].start == index:
                plan = waiting.pop()
                wave = sound.cut(plan.start / FPS, plan.end / FPS) if sound else None
                own = stack.enter_context(ExitStack())
                clip = _Clip(plan, scratch(), wave, settings, own.enter_context(follow()))
                own.enter_context(clip.writer)
                live.append((clip, own))
            for clip, own in list(live):
                clip.add(image)
                if index + 1 == clip.plan.end:
                    live.remove((clip, own))
                    own.close()
                    yield clip.finished()
            if not waiting and not live:
                return
        raise UserError("the video gave fewer pictures the second time it was read; it is damaged")


def thumbnail(image: np.ndarray) -> bytes:
    """JPEG of a picture (H, W, 3) uint8 RGB brought to 160 pixels."""
    scale = THUMB / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
