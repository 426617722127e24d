"""Makes one video clip by clip from features; files, faces and sound are somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hallo_lit.animation.handover import Handover
from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.guidance import Guidance
from hallo_lit.diffusion.noise import draw_noise
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.sampler import Denoise, Sampler, sample_clip
from hallo_lit.structs import ClipInputs, Drop, Portrait


@dataclass(frozen=True)
class Recipe:
    """How a clip is sampled. region_scale weighs pose, face and lip; motion_frames + clip_frames positions are used
    (models without temporal modules need no motion frames: 0); half_noise draws the original's noise, for the same
    seeds; shared_noise starts all frames of a video from the same noise, so that what the sound does not move stands
    still in models whose frames do not see each other; liveliness scales what faces and heads do by themselves in
    models with an ExpressionNet and a HeadNet, sway that of heads once more, 0: nothing; photo_detail shows the photo
    itself where talking moves nothing, in models whose heads keep still."""

    process: NoiseProcess
    sampler: Sampler
    guidance: Guidance
    region_scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    clip_frames: int = 14
    motion_frames: int = 2
    decode_chunk: int = 8
    half_noise: bool = False
    shared_noise: bool = False
    liveliness: float = 1.0
    sway: float = 1.0
    photo_detail: bool = False

    @property
    def head_sway(self) -> float:
        return self.liveliness * self.sway


class VideoGenerator:
    """One portrait, encoded once; `sample` and `decode` are called for every clip of the video in turn.

    Noise comes from `generator` (CPU, fp32), so a seed gives the same video on every device up to rounding.
    `denoise` replaces the model's forward, for example by its compiled form.
    """

    @torch.inference_mode()
    def __init__(
        self,
        hallo: Hallo,
        recipe: Recipe,
        portrait: Portrait,
        handover: Handover,
        generator: torch.Generator,
        denoise: Denoise | None = None,
    ) -> None:
        self.hallo, self.recipe, self.handover, self.generator = hallo, recipe, handover, generator
        self.denoise: Denoise = recipe.process.predictor(denoise or hallo)
        weight = next(hallo.denoiser.parameters())
        self.device, self.dtype = weight.device, weight.dtype
        drops = [*recipe.guidance.nulls, Drop.none(1)]
        self.drop, self.passes = Drop.cat(drops), len(drops)
        self.region_scale = torch.tensor(recipe.region_scale, device=self.device, dtype=self.dtype)
        self.pixels = portrait.pixels[None].to(self.device, self.dtype)
        latents = hallo.encode(self.pixels)
        nothing = latents.new_zeros(1, 0)
        self.known = ClipInputs(
            portrait=latents,
            past=latents[:, None].expand(-1, recipe.motion_frames, -1, -1, -1),
            audio=nothing,
            identity=portrait.identity[None].to(latents),
            regions=portrait.regions[None].to(latents),
            locator=portrait.locator[None].to(latents),
        )
        self.prepared = hallo.prepare(self.known.repeat(self.passes), self.drop)
        self.shared: Tensor | None = None

    def noise(self) -> Tensor:
        """The next clip's initial latents (1, f, c, h, w)."""
        c, h, w = self.known.portrait.shape[1:]
        frames = 1 if self.recipe.shared_noise else self.recipe.clip_frames
        if self.shared is None or not self.recipe.shared_noise:
            drawn = draw_noise((1, c, frames, h, w), self.generator, self.recipe.half_noise)
            self.shared = drawn.transpose(1, 2).to(self.device, self.dtype)
        return self.shared.expand(-1, self.recipe.clip_frames, -1, -1, -1)

    @torch.inference_mode()
    def sample(
        self,
        audio: Tensor,
        noise: Tensor | None = None,
        on_step: Callable[[int, Tensor], None] | None = None,
        expression: Tensor | None = None,
    ) -> Tensor:
        """Latents (f, c, h, w) of the next clip for windowed audio features (f, window, layers, width).

        expression: controls (f, k) of the model's ExpressionNet; None: the portrait's own.
        """
        recipe, known = self.recipe, self.known
        past = known.past
        if recipe.motion_frames:
            past = self.hallo.encode(self.handover.past(self.pixels, known.portrait, recipe.motion_frames))
        inputs = replace(known, past=past, audio=audio[None].to(past)).repeat(self.passes)
        if expression is not None:  # one row for all passes
            inputs = replace(inputs, expression=expression[None].to(past))
        batched = self.hallo.condition(inputs, self.prepared, self.drop, self.region_scale)
        *nulls, given = (batched.row(i, self.drop) for i in range(self.passes))
        scheduler = recipe.sampler.scheduler(recipe.process)
        start = self.noise() if noise is None else noise
        return sample_clip(self.denoise, start, scheduler, recipe.guidance, given, nulls, on_step)[0]

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        """Frames (f, 3, H, W) in [0, 1], fp32, of a clip's latents; its last ones become the next motion frames."""
        latents = latents.to(self.device, self.dtype)
        pixels = self.hallo.codec.decode(latents, self.recipe.decode_chunk)
        last = slice(max(0, len(latents) - self.recipe.motion_frames), None)
        self.handover.keep(pixels[last], latents[last])
        return (pixels.float() / 2 + 0.5).clamp(0, 1)
