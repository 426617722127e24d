"""What may differ from video to video, and what is checked before a network is touched."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hallo_lit.animation.portrait import Crop
from hallo_lit.animation.video_generator import Recipe
from hallo_lit.errors import UserError
from hallo_lit.media.files import cannot_write, check_readable, check_writable
from hallo_lit.media.image import save_png
from hallo_lit.media.video_writer import check_name


def check_seed(seed: int) -> None:
    """
    Raises:
        UserError: PyTorch's generators do not take this seed.
    """
    if not -(2**63) <= seed < 2**64:
        raise UserError(f"seed={seed} is out of range; use a whole number from {-(2**63)} to {2**64 - 1}.")


@dataclass(frozen=True)
class Options:
    """What may differ from video to video. None keeps the animator's recipe; `face` is 0 for the largest face.

    Raises UserError for a value out of range.
    """

    seed: int = 0
    crop: Crop = "face"
    face: int | None = None
    face_expand_ratio: float = 1.2
    recipe: Recipe | None = None
    frames_dir: Path | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.crop not in get_args(Crop):
            raise UserError(f"crop={self.crop} is not known; choose one of {', '.join(get_args(Crop))}.")
        if not 0.1 <= self.face_expand_ratio <= 100:
            raise UserError(f"face_expand_ratio={self.face_expand_ratio:g} must be between 0.1 and 100; 1.2 is usual.")


USUAL = Options()


def check_files(portrait: Path, audio: Path, out: Path) -> None:
    """What can be said of three files without loading any network.

    Raises:
        UserError: one cannot be read or written, `out` is not named like a video, or writing it would destroy an input.
    """
    check_readable(portrait, "picture")
    check_readable(audio, "recording")
    check_name(out)
    check_writable(out)
    for path in (portrait, audio):
        if out.exists() and out.samefile(path):
            raise UserError(f"{out} is the input {path} itself and would be overwritten; choose another out.")


def check_folder(frames_dir: Path, portrait: Path) -> None:
    """
    Raises:
        UserError: frames cannot be kept there, or one of them would take the portrait's place.
    """
    there = next(folder for folder in (frames_dir, *frames_dir.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"cannot write frames to {frames_dir}: {there} is no folder to write to; choose another one.")
    if re.fullmatch(r"\d{6}\.png", portrait.name) and frames_dir.exists() and frames_dir.samefile(portrait.parent):
        raise UserError(f"frames_dir={frames_dir} holds the portrait, which a frame would replace; choose another one.")


def keep_frame(folder: Path, number: int, frame: NDArray[np.uint8]) -> None:
    """Frames (H, W, 3) are counted from 1.

    Raises:
        UserError: the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    save_png(folder / f"{number:06d}.png", frame)
