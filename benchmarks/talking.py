"""Do the lips follow the words? `python benchmarks/talking.py BUNDLE [--set validation] [--steps 2] [--scale 1.5]`.

Self-made people, sentences and voices that no training has met, each photo taken from the first frame:

lively  heads move and eyes blink; lip opening and width of the generated video against the truth, found by MediaPipe,
        and its lids, brows, irises and head against the controls that were drawn for them.
still   nothing but the lips moves, in the video too (liveliness=0); pixels against the true frames, in the model's crop
        at the model's size, and how much landmarks tremble and pixels flicker, as a multiple of the true frames.
long    sound of eight seconds: the sync proxy with the own sound, the sound moved, another one's sound; and half a
        minute of the networks' own frames (sway=0 photo_detail=false), in which the background must not change.

Beside every figure stand what loudness alone would reach, what the codec alone leaves over, what MediaPipe finds in
the true frames themselves, and chance: the same photo with another clip's sound. Choose samplers and settings on
--set validation; report --set test. Wants mediapipe.
Prints a table, writes figures.json, figures.md (for a model card) and sheet.jpg to --out.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from hallo_lit import Animator
from hallo_lit.animation.animator import Options
from hallo_lit.animation.liveliness import draw_liveliness
from hallo_lit.animation.portrait import Photo
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.diffusion.guidance import AudioGuidance
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.faces.crop import Paster, crop
from hallo_lit.faces.measures import brow_height, gaze_offset, lid_aperture, lip_box, yaw_pitch_roll
from hallo_lit.media.image import to_pixels
from hallo_lit.metrics.aperture import Aperture
from hallo_lit.metrics.aperture_sync import ApertureSync
from hallo_lit.metrics.smoothness import Smoothness
from hallo_lit.metrics.video import Video
from talking_cases import SEEDS, Case, Frames

Curve = NDArray[np.float64]

MOUTH = 0.3  # of the lips' width, around the lips
LONG = 8.0  # s
MOMENTS = (1, 10, 30)  # s
SHIFT = 0.4  # s by which sound is moved
# control: the measure of landmarks that follows it
FOLLOWING = {
    "blink": lambda points: -lid_aperture(points),
    "brow": brow_height,
    "gaze_x": lambda points: gaze_offset(points)[..., 0],
    "gaze_y": lambda points: gaze_offset(points)[..., 1],
    "yaw": lambda points: np.array([yaw_pitch_roll(face)[0] for face in points]),
    "pitch": lambda points: np.array([yaw_pitch_roll(face)[1] for face in points]),
    "roll": lambda points: np.array([yaw_pitch_roll(face)[2] for face in points]),
}
DEGREES = ("yaw", "pitch", "roll")


class Judge:
    """Collects one set's figures clip by clip."""

    def __init__(self, animator: Animator) -> None:
        self.animator = animator
        self.lips = {name: Aperture() for name in ("made", "mismatched", "codec", "seen")}
        self.sync = {name: ApertureSync() for name in ("own", "moved", "other")}
        self.found: list[float] = []
        self.smoothness = Smoothness()
        self.psnr: list[tuple[float, float]] = []
        self.codec_psnr: list[tuple[float, float]] = []
        self.background: list[list[float]] = []
        self.followed: dict[str, list[tuple[Curve, Curve]]] = {name: [] for name in FOLLOWING}
        self.true: dict[str, list[tuple[Curve, Curve]]] = {name: [] for name in FOLLOWING}  # in the true frames
        self.rows: list[Frames] = []

    def lively(self, case: Case, other: Case, seed: int) -> None:
        made = case.video(self.animate(case, case, seed))
        wrong = case.video(self.animate(case, other, seed))
        self.follow(made, seed)
        coded = case.video(through_codec(self.animator, self.photo(case), case.frames))
        seen = case.video(case.frames)
        for name, measure in FOLLOWING.items():
            curve = case.curves[: len(seen.seen), CONTROLS.index(name)].astype(np.float64)
            self.true[name].append((curve[seen.seen], measure(seen.landmarks[seen.seen])))
        for name, video in (("made", made), ("mismatched", wrong), ("codec", coded), ("seen", seen)):
            self.lips[name].update(video, case.truth())
        self.found.append(float(made.seen.mean()))
        self.show(case, np.stack(list(made.frames())))

    def follow(self, made: Video, seed: int) -> None:
        """What the face does beside talking, next to what was asked of it."""
        hallo, count, recipe = self.animator.hallo, len(made.landmarks), self.animator.recipe
        padded = -(-count // recipe.clip_frames) * recipe.clip_frames
        nets, sound = (hallo.expression_net, hallo.head_net), [torch.from_numpy(made.wave)]
        lively = draw_liveliness(*nets, sound, padded, seed, recipe.liveliness, recipe.head_sway)
        for net, told in zip(nets, (lively.expressions, lively.poses), strict=True):
            if net is None or told is None:
                continue
            for name, curve in zip(net.controls, told[:count].T.double().numpy(), strict=True):
                if name in FOLLOWING:
                    self.followed[name].append((curve[made.seen], FOLLOWING[name](made.landmarks[made.seen])))

    def still(self, case: Case) -> None:
        made, photo = self.animate(case, case, liveliness=0), self.photo(case)
        self.smoothness.update(case.video(made), case.video(case.frames))
        self.psnr.append(self.compare(case, photo, made))
        self.codec_psnr.append(self.compare(case, photo, through_codec(self.animator, photo, case.frames)))

    def long(self, case: Case, other: Case) -> None:
        made = self.animate(case, case)
        moved = np.roll(case.samples, round(SHIFT * 16000))
        for name, sound in (("own", case.samples), ("moved", moved), ("other", other.samples)):
            self.sync[name].update(Video.from_arrays(name, made, sound), None)

    def longest(self, case: Case) -> None:
        """PSNR against the photo, beside the face, at some moments."""
        own = {"sway": 0.0, "photo_detail": False}  # hair moves with the head, and the photo itself does not change
        made, photo = self.animate(case, case, **own), self.photo(case)
        box, size = photo.portrait.box, tuple(photo.portrait.pixels.shape[1:])
        still = photo.portrait.regions[0] > 0.5
        places = cv2.resize(still.numpy().astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST).astype(bool)
        rest = crop(photo.pixels, box, size)[places].astype(float)
        frames = [crop(made[round(25 * moment) - 1], box, size)[places] for moment in MOMENTS]
        self.background.append([_decibel(np.square(frame - rest).mean() / 255**2) for frame in frames])

    def animate(self, photo: Case, sound: Case, seed: int = 0, **recipe: float) -> Frames:
        options = Options(seed=seed, recipe=self.animator.with_recipe(**recipe))
        return np.stack(list(self.animator(photo.photo, sound.sound, options)))

    def photo(self, case: Case) -> Photo:
        return self.animator.portraits(case.photo)

    def compare(self, case: Case, photo: Photo, made: Frames) -> tuple[float, float]:
        """PSNR of crop and mouth at the model's size."""
        left, top, right, _ = photo.portrait.box
        size = tuple(photo.portrait.pixels.shape[1:])
        both = [np.stack([crop(frame, photo.portrait.box, size) for frame in side]) for side in (made, case.frames)]
        wrong = np.square(both[0].astype(float) - both[1]) / 255**2
        x0, y0, x1, y1 = lip_box(case.points[0])
        pad = MOUTH * (x1 - x0)
        scale = size[1] / (right - left)
        columns = slice(max(0, round((x0 - pad - left) * scale)), round((x1 + pad - left) * scale))
        rows = slice(max(0, round((y0 - pad - top) * scale)), round((y1 + pad - top) * scale))
        return _decibel(wrong.mean()), _decibel(wrong[:, rows, columns].mean())

    def show(self, case: Case, made: Frames, columns: int = 10) -> None:
        if len(self.rows) >= 16:
            return
        chosen = np.linspace(5, len(made) - 1, columns).astype(int)
        for side in (case.frames, made):
            cells = [cv2.resize(frame, (128, 128), interpolation=cv2.INTER_AREA) for frame in side[[0, *chosen]]]
            self.rows.append(np.hstack(cells))

    def figures(self) -> dict[str, float]:
        lips = {name: {k: float(v) for k, v in metric.compute().items()} for name, metric in self.lips.items()}
        made, chance, ceiling, seen = (lips[name] for name in ("made", "mismatched", "codec", "seen"))
        psnr, limit = np.mean(self.psnr, 0), np.mean(self.codec_psnr, 0)
        found = {
            "aperture r, pooled": made["aperture_r_pooled"],
            "aperture r, mean of clips": made["aperture_r"],
            "aperture r given loudness, pooled": made["partial_r_pooled"],
            "width r, pooled": made["width_r_pooled"],
            "width r, mean of clips": made["width_r"],
            "another clip's sound: aperture r, pooled": chance["aperture_r_pooled"],
            "loudness alone: aperture r, pooled": made["loudness_r_pooled"],
            "codec alone: aperture r, pooled": ceiling["aperture_r_pooled"],
            "codec alone: width r, pooled": ceiling["width_r_pooled"],
            "MediaPipe on the true frames: aperture r, pooled": seen["aperture_r_pooled"],
            "MediaPipe on the true frames: width r, pooled": seen["width_r_pooled"],
            "frames with a face": float(np.mean(self.found)),
            "PSNR, dB": float(psnr[0]),
            "PSNR of the mouth, dB": float(psnr[1]),
            "codec alone: PSNR, dB": float(limit[0]),
            "codec alone: PSNR of the mouth, dB": float(limit[1]),
        }
        smooth = self.smoothness.compute()
        found |= {
            f"{name} of still heads, times the true frames'": float(smooth[f"{name}_of_real"])
            for name in ("jitter", "flicker")
        }
        for name, pairs in self.followed.items():
            for whose, sides in (("", pairs), ("MediaPipe on the true frames: ", self.true[name] if pairs else [])):
                if sides:
                    found |= {f"{whose}{name}{about}": value for about, value in follows(name, sides).items()}
        for name, metric in self.sync.items():
            if metric.report().counted:
                found[f"sync proxy, {name} sound"] = float(metric.compute()["psync_r"])
        for moment, value in zip(MOMENTS, np.mean(self.background, 0) if self.background else (), strict=False):
            found[f"background PSNR at {moment} s, dB"] = float(value)
        return found


def follows(name: str, pairs: list[tuple[Curve, Curve]]) -> dict[str, float]:
    """What was drawn against what is seen, each less its mean over the clip."""
    drawn, seen = (np.concatenate([side - side.mean() for side in sides]) for sides in zip(*pairs, strict=True))
    found = {" against what was drawn, r": float(np.corrcoef(drawn, seen)[0, 1])}
    if name in DEGREES:
        found[", degrees seen per degree drawn"] = float(drawn @ seen / (drawn @ drawn))
    return found


def _decibel(error: float) -> float:
    return float(-10 * np.log10(max(float(error), 1e-10)))


@torch.inference_mode()
def through_codec(animator: Animator, photo: Photo, frames: Frames) -> Frames:
    """The true frames after encoding and decoding their crop: the best any denoiser could do."""
    box, size = photo.portrait.box, tuple(photo.portrait.pixels.shape[1:])
    codec = animator.hallo.codec
    weight = next(codec.parameters())
    cut = np.stack([crop(frame, box, size) for frame in frames])
    images = torch.from_numpy(cut).permute(0, 3, 1, 2).to(weight) / 127.5 - 1
    back = codec.decode(codec.encode(images)).float().clamp(-1, 1).cpu()
    return np.stack([Paster(frame, box)(to_pixels(picture)) for frame, picture in zip(frames, back, strict=True)])


def shown(value: float) -> str:
    return f"{value:.3f}" if abs(value) <= 1 else f"{value:.1f}"


def markdown(figures: dict[str, float], which: str, clips: int, sampler: str) -> str:
    """A section for a model card (`hallo-lit weights export ... notes=figures.md`)."""
    lines = ["## What it reaches", "", f"`benchmarks/talking.py --set {which}`: {clips} people, sentences and voices"]
    lines += [f"that no training has met; {sampler} steps.", "", "| figure | value |", "|---|---|"]
    return "\n".join([*lines, *(f"| {key} | {shown(value)} |" for key, value in figures.items())]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--set", choices=tuple(SEEDS), default="validation")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--long", type=int, default=8, help="clips of eight seconds; 0 leaves out long sound")
    parser.add_argument("--steps", type=int, help="of the sampler, instead of the bundle's")
    parser.add_argument("--scale", type=float, help="of audio guidance, instead of the bundle's")
    parser.add_argument("--out", type=Path, default=Path("outputs/talking"))
    parser.add_argument("--cases", type=Path, default=Path("outputs/talking_cases"), help="where the truth is kept")
    words = parser.parse_args()
    animator = Animator.from_pretrained(words.bundle)
    if words.steps is not None:
        animator.recipe = animator.with_recipe(sampler=Sampler(animator.recipe.sampler.solver, words.steps))
    if words.scale is not None:
        animator.recipe = animator.with_recipe(guidance=AudioGuidance(words.scale))
    judge, frames = Judge(animator), round(words.seconds * 25)

    def case(kind: str, number: int, count: int = frames, seconds: float = 0.0) -> Case:
        return Case.make(kind, words.set, number, count, words.cases, seconds)

    for number in track(range(words.clips), "clips"):
        judge.lively(case("lively", number), case("lively", (number + 1) % words.clips), number)
        judge.still(case("still", number))
    for number in track(range(words.long), "long sound"):
        nearby = 100 + (number + 1) % words.long
        judge.long(case("still", 100 + number, 1, LONG), case("still", nearby, 1, LONG))
    for number in track(range(min(words.long, 2)), "half a minute"):
        judge.longest(case("still", 200 + number, 1, MOMENTS[-1]))
    figures = judge.figures()
    words.out.mkdir(parents=True, exist_ok=True)
    recipe = animator.recipe
    about = {"bundle": str(words.bundle), "weights": animator.weights, "set": words.set, "clips": words.clips}
    about |= {"sampler": f"{recipe.sampler.solver} {recipe.sampler.steps}", "guidance": recipe.guidance.describe()}
    (words.out / "figures.json").write_text(json.dumps({**about, **figures}, indent=1) + "\n")
    (words.out / "figures.md").write_text(markdown(figures, words.set, words.clips, str(about["sampler"])))
    sheet = cv2.cvtColor(np.vstack(judge.rows), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(words.out / "sheet.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])
    table = Table("figure", "value", title=f"{words.clips} clips of {words.seconds:g} s, {about['sampler']} steps")
    for key, value in figures.items():
        table.add_row(key, shown(value))
    Console().print(table)


if __name__ == "__main__":
    main()
