"""Evenly spaced frames of a video side by side: `python scripts/strip.py VIDEO PICTURE [--frames 8] [--height 192]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from hallo_lit.errors import UserError
from hallo_lit.media.video import probe, read_frames


def strip(video: Path, frames: int, height: int) -> Image.Image:
    chosen = set(np.linspace(0, probe(video).frames - 1, frames).round().astype(int).tolist())
    shown = [Image.fromarray(frame) for k, frame in enumerate(read_frames(video)) if k in chosen]
    small = [picture.resize((round(picture.width * height / picture.height), height)) for picture in shown]
    return Image.fromarray(np.hstack([np.asarray(picture) for picture in small]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--height", type=int, default=192)
    words = parser.parse_args()
    try:
        strip(words.video, words.frames, words.height).save(words.picture, quality=88)
    except UserError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
