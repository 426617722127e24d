"""What a crop's size and a codec leave of the lips: `python benchmarks/codec_ceiling.py [--clips 8] [--run RUN]`.

Lively clips of the validation set are cropped, resized, encoded and decoded, and pasted back; MediaPipe finds the lips,
and the table says how well their opening and width still follow the truth. No denoiser can do better. RUN: the folder
of a run of stage=codec, for a row of its codec.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.progress import track
from rich.table import Table

from hallo_lit.components.patch_codec import PatchCodec
from hallo_lit.components.vae import Codec
from hallo_lit.data.synthetic.clip import Look, make_clip
from hallo_lit.data.synthetic.close_up import close_up
from hallo_lit.data.synthetic.corpus import Cast, part
from hallo_lit.faces.crop import Paster, crop, square_crop
from hallo_lit.faces.regions import region_masks
from hallo_lit.media.image import to_pixels
from hallo_lit.metrics.aperture import Aperture
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint, rebuild
from talking_cases import Case, Frames

MARGINS = (0.78, 0.64)
CODECS = ((64, None, 0), (64, 4, 12), (64, 4, 20), (128, 8, 32), (128, 8, 40))  # side, factor, channels
LIP_WEIGHT = 9.0


def people(count: int, frames: int = 6) -> list[tuple[Frames, np.ndarray]]:
    """A few frames and landmarks of each of some people of the training set."""
    found = []
    for number in track(range(count), "people to fit to"):
        clip = make_clip(part(Cast(101, 600, 600), number), Look(256, 1.5, 0.0, posture=1.2), 40)
        chosen = np.linspace(0, 39, frames).astype(int)
        found.append((np.stack([clip.actor.render(clip.controls[k]) for k in chosen]), clip.landmarks()[chosen]))
    return found


def fitted(seen: list[tuple[Frames, np.ndarray]], margin: float, side: int, factor: int, channels: int) -> PatchCodec:
    codec, images, weights = PatchCodec(factor, channels), [], []
    for number, (frames, points) in enumerate(seen):
        cut, moved = close_up(frames, points, margin, side, np.random.default_rng(number))
        lip = torch.from_numpy(region_masks(moved[0].astype(np.float64), (side, side)).regions[2]).float() / 255
        places = F.interpolate(lip[None, None], (side // factor,) * 2, mode="bilinear", antialias=True)
        images.append(torch.from_numpy(cut).permute(0, 3, 1, 2).float() / 127.5 - 1)
        weights.append((1 + (LIP_WEIGHT - 1) * places).expand(len(cut), -1, -1, -1))
    codec.fit(torch.cat(images), torch.cat(weights))
    return codec


def through(codec: Codec | None, margin: float, side: int) -> Callable[[Case], Frames]:
    def apply(case: Case) -> Frames:
        box = square_crop(case.points[0], case.frames.shape[1:3], margin)
        cut = np.stack([crop(frame, box, (side, side)) for frame in case.frames])
        if codec is not None:
            images = torch.from_numpy(cut).permute(0, 3, 1, 2).float() / 127.5 - 1
            with torch.no_grad():
                made = codec.decode(codec.encode(images)).clamp(-1, 1)
            cut = np.stack([to_pixels(picture) for picture in made])
        return np.stack([Paster(frame, box)(picture) for frame, picture in zip(case.frames, cut, strict=True)])

    return apply


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--people", type=int, default=80, help="that codecs are fitted to")
    parser.add_argument("--run", type=Path, action="append", default=[], help="of stage=codec; may be said again")
    parser.add_argument("--cases", type=Path, default=Path("outputs/talking_cases"), help="where the truth is kept")
    words = parser.parse_args()
    cases = [Case.make("lively", "validation", k, 75, words.cases) for k in track(range(words.clips), "clips")]
    seen = people(words.people)
    table = Table("crop", "pixels", "codec", "opening r", "width r", title=f"{words.clips} lively clips of 3 s")

    def row(names: tuple[str, str, str], apply: Callable[[Case], Frames]) -> None:
        metric = Aperture()
        for case in cases:
            metric.update(case.video(apply(case)), case.truth())
        found = metric.compute()
        table.add_row(*names, f"{found['aperture_r_pooled']:.3f}", f"{found['width_r_pooled']:.3f}")

    row(("none", "256", "none"), lambda case: case.frames)
    for margin in MARGINS:
        for side, factor, channels in CODECS:
            codec = None if factor is None else fitted(seen, margin, side, factor, channels)
            name = "none" if factor is None else f"{channels} of {factor} x {factor}"
            row((f"{margin:g}", str(side), name), through(codec, margin, side))
    for run in words.run:
        checkpoint = read_checkpoint(checkpoint_in(run))
        margin, side = float(checkpoint.config["crop_margin"]), int(checkpoint.config["size"]["height"])
        made = rebuild(checkpoint).product()
        row((f"{margin:g}", str(side), str(run)), through(made, margin, side))
    Console().print(table)


if __name__ == "__main__":
    main()
