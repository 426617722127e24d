"""What a figure is drawn from: a model, a portrait, a recording, and the videos the model makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hallo_lit.animation.animator import Animator, Progress, silent
from hallo_lit.animation.building import from_bundle
from hallo_lit.animation.options import Options
from hallo_lit.animation.portrait import Crop, Photo, PortraitReader
from hallo_lit.animation.video_generator import Recipe
from hallo_lit.components.audio_encoder.base import FPS, RATE
from hallo_lit.diffusion.sampler import Denoise
from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.film import LONGEST, Film, shrunk
from hallo_lit.media.audio import check_audio, frame_count, read_audio


class KnownPhoto(PortraitReader):
    """Gives one photo that was analysed before, since many films are made of it."""

    def __init__(self, photo: Photo) -> None:
        self.photo = photo

    def __call__(self, path: Path, crop: Crop = "face", face: int | None = None, face_ratio: float = 1.2) -> Photo:
        return self.photo


@dataclass(frozen=True)
class Scene:
    """seconds: how much of the recording is used; real: the filmed truth, if there is any; command: what the figure's
    caption names as its origin."""

    animator: Animator
    portrait: Path
    audio: Path
    real: Path | None = None
    seconds: float = 2.0
    seed: int = 0
    command: str = ""
    progress: Progress = silent

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise UserError(f"seconds={self.seconds:g} of a figure must be more than 0.")

    @cached_property
    def photo(self) -> Photo:
        return self.animator.read_portrait(self.portrait, Options(seed=self.seed))

    @cached_property
    def frames(self) -> int:
        """How many frames the films of this scene have."""
        spoken = frame_count(check_audio(self.audio, RATE, FPS).samples, RATE, FPS)
        return max(1, min(spoken, round(self.seconds * FPS)))

    @cached_property
    def wave(self) -> NDArray[np.float64]:
        """(samples,) 16 kHz mono, as long as the films."""
        return read_audio(self.audio, RATE).numpy().astype(np.float64)[: round(self.frames * RATE / FPS)]

    @cached_property
    def usual(self) -> Film:
        """What the model makes with its own settings."""
        return self.film()

    def film(
        self,
        recipe: Recipe | None = None,
        seed: int | None = None,
        animator: Animator | None = None,
        denoise: Denoise | None = None,
        frames: int | None = None,
    ) -> Film:
        """A film that differs from the usual one in what is given; `denoise` stands in for the model's forward."""
        made = animator or self.animator
        options = Options(seed=self.seed if seed is None else seed, recipe=recipe)
        photo = self.photo if animator is None else made.read_portrait(self.portrait, options)
        made = replace(made, denoise=denoise or made.denoise, portraits=KnownPhoto(photo))
        return self._developed(made(self.portrait, self.audio, options), photo, min(frames or self.frames, self.frames))

    def _developed(self, stream: Iterator[NDArray[np.uint8]], photo: Photo, count: int) -> Film:
        kept = []
        for done, frame in enumerate(islice(stream, count), 1):
            kept.append(shrunk(frame))
            self.progress("frames", done, count)
        return Film(np.stack(kept), _scaled(photo))

    def films(self, makers: Sequence[Callable[[], Film]]) -> list[Film]:
        """Several films, with progress over them."""
        made: list[Film] = []
        for maker in makers:
            self.progress("films", len(made), len(makers))
            made.append(maker())
        self.progress("films", len(made), len(makers))
        return made

    def filmed(self) -> Film | None:
        """The real video, if any, cut to the frames of the scene."""
        return None if self.real is None else Film.read(self.real, self.frames, self.photo)

    def other(self, where: str | Path) -> Animator:
        """Another model's animator, on this one's device, whose faces and heads are as lively.

        Raises:
            UserError: see `Animator.from_pretrained`.
        """
        weight = next(self.animator.hallo.denoiser.parameters())
        made, ours = from_bundle(where, {"device": str(weight.device)}), self.animator.recipe
        made.recipe = made.with_recipe(liveliness=ours.liveliness, sway=ours.sway)
        return made


def _scaled(photo: Photo) -> tuple[int, int, int, int]:
    """The photo's face box in pictures that `shrunk` made of it."""
    scale = min(1.0, LONGEST / max(photo.pixels.shape[:2]))
    left, top, right, bottom = (round(edge * scale) for edge in photo.portrait.box)
    return left, top, right, bottom
