"""Videos of fixed portraits beside the truth, made by the very code that animates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor

from hallo_lit.animation.handover import Handover, PixelHandover
from hallo_lit.animation.video_generator import Recipe, VideoGenerator
from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.media.image import Pixels, save_png, to_pixels
from hallo_lit.media.video_writer import VideoWriter
from hallo_lit.metrics.base import VideoMetric
from hallo_lit.stages.base import DiffusionStage
from hallo_lit.stages.callbacks.figures import Figures
from hallo_lit.stages.callbacks.periodic import Periodic
from hallo_lit.stages.filmed import FPS, Filmed, first_clips
from hallo_lit.stages.head import HeadStage
from hallo_lit.stages.loggers import show_video
from hallo_lit.stages.pictures import grid, masks_over, strip


class SampleVideos(Periodic):
    """`count` test clips of `clips` times the recipe's frames each: truth on the left, made on the right.

    Beside each a strip of frames: truth, made before the first step where that was looked at, made now. `metrics`
    compare made with true clips; their figures are logged as samples/NAME.

    A recipe of single frames (stage 1) gives one picture instead: portrait, truth, made. With the first, one picture of
    the region masks as each level of the UNet sees them.
    """

    def __init__(
        self,
        folder: str | Path,
        recipe: Recipe,
        every: int = 1000,
        count: int = 2,
        clips: int = 2,
        seed: int = 0,
        handover: Callable[[], Handover] = PixelHandover,
        metrics: Mapping[str, VideoMetric] | None = None,
        at_start: bool = False,
    ) -> None:
        super().__init__(folder, every, at_start)
        self.figures = Figures(metrics or {})
        self._before: dict[int, list[Pixels]] = {}
        self.recipe, self.count, self.clips_each, self.seed, self.handover = recipe, count, clips, seed, handover
        self._masks_shown = False

    def show(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        hallo: Any = pl_module.network
        if not isinstance(hallo, Hallo):
            return
        if isinstance(pl_module, DiffusionStage) and isinstance(pl_module.process, NoiseProcess):
            # one process for training and sampling: what a run measured is known to the stage's alone
            self.recipe = replace(self.recipe, process=pl_module.process)
        data = self.clips(trainer)
        filmed = first_clips(data, self.count, self.clips_each * self.recipe.clip_frames)
        if not self._masks_shown:
            self._masks_shown = True
            self._show_masks(trainer, hallo, filmed[0])
        if self.recipe.clip_frames == 1:
            self._show_pictures(trainer, hallo, first_clips(data, 4 * self.count, 32))
            return
        for number, clip in enumerate(filmed):
            if isinstance(pl_module, HeadStage):
                self._show_video(trainer, hallo, clip, [to_pixels(frame) for frame in pl_module.film(clip)], number)
                continue
            made = self.make(hallo, clip)
            self._show_video(trainer, hallo, clip, made, number)
            self.figures.take(clip.name, made, self._truth(hallo, clip), clip.sound)
        self.figures.report(trainer)

    def _show_video(self, trainer: L.Trainer, hallo: Hallo, clip: Filmed, made: list[Pixels], number: int) -> None:
        truth = self._truth(hallo, clip)
        step, video = trainer.global_step, self.place(trainer, f"{number}.mp4")
        both = [grid([[true, false]]) for true, false in zip(truth, made, strict=True)]
        about = {"synthetic_media": True, "clip": clip.name, "step": step, "left": "truth", "right": "made"}
        height, width = both[0].shape[:2]
        with VideoWriter(video, (height, width), FPS, clip.sound, about) as writer:
            for frame in both:
                writer.write(frame)
        before = [self._before[number]] if number in self._before else []
        if step == 0:
            self._before[number] = made
        save_png(video.with_suffix(".png"), strip(truth, *before, made))
        show_video(trainer.loggers, f"samples/{number}", video, video.with_suffix(".png"), step)

    def make(self, hallo: Hallo, clip: Filmed) -> list[Pixels]:
        """As many frames as the clip has."""
        generator = torch.Generator().manual_seed(self.seed)
        video = VideoGenerator(hallo, self.recipe, clip.portrait, self.handover(), generator)
        made: list[Tensor] = []
        size = self.recipe.clip_frames
        parts = clip.windows.split(size)
        faces = [None] * len(parts) if clip.expression is None else clip.expression.split(size)
        for windows, face in zip(parts, faces, strict=True):
            shown = None if face is None else _padded(face, size)
            made += video.decode(video.sample(_padded(windows, size), expression=shown)).unbind()[: len(windows)]
        return [to_pixels(frame * 2 - 1) for frame in made]

    def _show_pictures(self, trainer: L.Trainer, hallo: Hallo, filmed: list[Filmed]) -> None:
        rows: list[list[Pixels]] = [[], [], []]
        for clip in filmed:
            frames = self._pixels(hallo, clip.frames)
            generator = torch.Generator().manual_seed(self.seed)
            video = VideoGenerator(hallo, self.recipe, clip.portrait, self.handover(), generator)
            made = video.decode(video.sample(clip.windows[-1:]))[0]
            for row, picture in zip(rows, (frames[0], frames[-1], made * 2 - 1), strict=True):
                row.append(to_pixels(picture))
        self.picture(trainer, "samples", grid(rows))

    def _show_masks(self, trainer: L.Trainer, hallo: Hallo, clip: Filmed) -> None:
        photo = self._pixels(hallo, clip.frames[:1])[0]
        size = (photo.shape[-2] // hallo.codec.factor, photo.shape[-1] // hallo.codec.factor)
        picture = masks_over(photo, clip.portrait.regions, size, len(hallo.denoiser.spec.channels))
        self.picture(trainer, "masks", picture)

    def _truth(self, hallo: Hallo, clip: Filmed) -> list[Pixels]:
        return [to_pixels(frame) for frame in self._pixels(hallo, clip.frames)]

    def _pixels(self, hallo: Hallo, frames: Tensor) -> Tensor:
        """Frames (f, 3, H, W) in [-1, 1] on the CPU; cached latents are decoded."""
        if frames.shape[1] == 3:
            return frames
        weight = next(hallo.codec.parameters())
        return hallo.codec.decode(frames.to(weight)).float().clamp(-1, 1).cpu()


def _padded(rows: Tensor, count: int) -> Tensor:
    """(n, ...) -> (count, ...), the last one again and again."""
    return torch.cat([rows, rows[-1:].expand(count - len(rows), *rows.shape[1:])])
