"""The codec's decoder learns to draw what the denoiser predicts."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.guidance import Guidance, NoGuidance
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.sampler import Sampler, sample_clip
from hallo_lit.errors import UserError
from hallo_lit.stages.base import DiffusionStage, Losses
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.objective import Objective, Process
from hallo_lit.stages.perceptual import PictureDistance, PyramidDistance
from hallo_lit.stages.randomness import Streams
from hallo_lit.structs import ClipBatch, Drop, DropRates


class DecoderStage(DiffusionStage):
    """Predicted latents are never quite those of an encoder, and a decoder that knows only the latter shows it.

    The denoiser predicts clean latents from noisy ones and stays as it is; the decoder's pictures of them are compared
    with the true frames: L1, weighted as the objective says, and `perceptual` times a structural distance.

    With a `sampler`, latents are those that it makes of noise alone in all its steps, under `guidance`, all frames of a
    clip from one noise if `shared_noise`: what a video is made of, for samplers of few steps. Nothing is dropped then.

    Raises:
        UserError: the objective has losses of its own, or the process cannot be sampled.
    """

    name: ClassVar[str] = "decoder"
    follows: ClassVar[tuple[str, ...]] = (
        "appearance",
        "motion",
        "talking",
        "identity",
        "decoder",
        "expression",
        "head",
    )

    def __init__(
        self,
        network: Hallo,
        process: Process,
        learning: Learning,
        objective: Objective = Objective(),  # noqa: B008  (frozen)
        seed: int = 0,
        perceptual: float = 0.5,
        distance: PictureDistance = PyramidDistance(),  # noqa: B008  (has no state)
        sampler: Sampler | None = None,
        guidance: Guidance = NoGuidance(),  # noqa: B008  (has no state)
        shared_noise: bool = False,
    ) -> None:
        if sampler is not None and not isinstance(process, NoiseProcess):
            raise UserError(
                "stage.sampler needs process=zero_snr_v or reference_preconditioned, or stage.sampler=null."
            )
        objective.refuse_terms(self.name)
        super().__init__(network, process, learning, objective, seed)
        self.perceptual, self.distance = perceptual, distance
        self.sampler, self.guidance, self.shared_noise = sampler, guidance, shared_noise

    def losses(self, batch: ClipBatch, streams: Streams, rates: DropRates) -> Losses:
        if self.sampler is None:
            step = self.predict(batch, streams, rates, learns=False)
            clean, timestep = step.clean, step.noised.timestep
        else:
            clean, timestep = self.sampled(batch, streams, self.sampler), None
        true, latents = batch.frames.flatten(0, 1), clean.flatten(0, 1)
        made = self.network.codec.decode(latents, len(latents)).float()
        error = (made - true).abs().unflatten(0, batch.frames.shape[:2])
        weights = self.objective.weights(batch.inputs.regions, batch.frames)
        parts: dict[str, Tensor] = {
            "l1": (error * (1.0 if weights is None else weights)).mean(),
            "perceptual": self.distance(made, true),
        }
        loss = parts["l1"] + self.perceptual * parts["perceptual"]
        return Losses(loss, parts, step.error if self.sampler is None else error.detach().flatten(1).mean(1), timestep)

    @torch.no_grad()
    def sampled(self, batch: ClipBatch, streams: Streams, sampler: Sampler) -> Tensor:
        """Latents (b, f, c, h, w) of clips as a video has them."""
        assert isinstance(self.process, NoiseProcess)
        self.check(batch)
        inputs, count, (height, width) = self.inputs(batch, streams), len(batch.index), batch.frames.shape[-2:]
        codec, frames = self.network.codec, batch.frames.shape[1]
        told = []
        for drop in (*self.guidance.nulls, Drop.none(1)):
            whole = Drop.cat([drop] * count)
            told.append(self.network.condition(inputs, self.network.prepare(inputs, whole), whole))
        drawn = (count, 1 if self.shared_noise else frames, codec.latent_channels)
        noise = streams.normal("noise", batch.frames.new_empty(*drawn, height // codec.factor, width // codec.factor))
        denoise, scheduler = self.process.predictor(self.network), sampler.scheduler(self.process)
        noise = noise.expand(-1, frames, -1, -1, -1)
        return sample_clip(denoise, noise, scheduler, self.guidance, told[-1], told[:-1])

    def check(self, batch: ClipBatch) -> None:
        super().check(batch)
        if batch.frames.shape[2] != 3:
            raise UserError("stage=decoder compares pictures; set data.samples.source=pixels or video.")
