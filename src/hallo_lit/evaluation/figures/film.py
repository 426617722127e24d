"""Frames in memory, as figures look at them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hallo_lit.animation.portrait import Photo
from hallo_lit.errors import UserError
from hallo_lit.faces.crop import Box, crop, square_crop
from hallo_lit.faces.landmarks import FaceLandmarks
from hallo_lit.media.image import Pixels, resize
from hallo_lit.media.video import read_frames

LONGEST = 512  # side of the frames that are kept


@dataclass(frozen=True)
class Film:
    """Frames (F, H, W, 3) uint8 at 25 a second, and the box around the face that the model sees."""

    frames: NDArray[np.uint8]
    box: Box

    def __len__(self) -> int:
        return len(self.frames)

    def faces(self, height: int = 192) -> NDArray[np.uint8]:
        """(F, height, w, 3) the box of every frame."""
        size = face_size(self.box, height)
        return np.stack([crop(frame, self.box, size) for frame in self.frames])

    @classmethod
    def read(cls, path: Path, frames: int, photo: Photo | None = None) -> Film:
        """The first frames of a video; one of the photo's size shares its box, others get one around their first face.

        Raises:
            UserError: the video cannot be read, is empty, or its first second shows no face.
        """
        kept, box = [], None
        for frame in islice(read_frames(path, fps=25), frames):
            if box is None and photo is not None and frame.shape == photo.pixels.shape:
                box = photo.portrait.box
            kept.append(shrunk(frame))
            scale = kept[-1].shape[0] / frame.shape[0]
        if not kept:
            raise UserError(f"{path} has no frames to draw a figure from.")
        if box is not None:
            return cls(np.stack(kept), tuple(round(edge * scale) for edge in box))  # type: ignore[arg-type]
        return cls(np.stack(kept), _around_face(path, kept[:25]))


def _around_face(path: Path, frames: list[Pixels]) -> Box:
    with FaceLandmarks(max_faces=1) as detector:
        for frame in frames:
            if faces := detector.detect(frame):
                return square_crop(faces[0], (frame.shape[0], frame.shape[1]))
    raise UserError(f"{path} shows no face in its first second; a figure needs one to look at.")


def shrunk(frame: Pixels) -> Pixels:
    """At most `LONGEST` pixels wide and high."""
    height, width = frame.shape[:2]
    scale = LONGEST / max(height, width)
    return frame if scale >= 1 else resize(frame, (round(height * scale), round(width * scale)))


def face_size(box: Box, height: int) -> tuple[int, int]:
    """(height, width) of a picture with the aspect of the box."""
    return height, max(1, round(height * (box[2] - box[0]) / (box[3] - box[1])))
