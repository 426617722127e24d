"""The diffusion stages: one step is the same for all of them; a stage says what trains and what its clips look like."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from hallo_lit.blocks.temporal import TemporalTransformer
from hallo_lit.components.hallo import Hallo
from hallo_lit.data.dataset import ClipDataset
from hallo_lit.diffusion.reference_prior import ReferencePrior
from hallo_lit.errors import UserError
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.linear_codec import Fitting, Seen, fit_linear, spread_of, wants_fit
from hallo_lit.stages.objective import Objective, Process, Step
from hallo_lit.stages.randomness import Streams
from hallo_lit.stages.say import say
from hallo_lit.stages.shell import Stage
from hallo_lit.structs import ClipBatch, ClipInputs, DropRates

NOTHING_DROPPED = DropRates(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Losses:
    """loss: the scalar to minimise; parts: its terms before weighting; error (b,): squared error of every clip."""

    loss: Tensor
    parts: Mapping[str, Tensor]
    error: Tensor
    timestep: Tensor | None = None  # (b,) where there was noise


class DiffusionStage(Stage):
    """Override `inputs` to change what the network is told, `losses` to change what it is asked.

    encode_chunk: pictures that the frozen codec encodes at a time.
    """

    network: Hallo
    told: ClassVar[str] = "expression_net"  # the part of the network that `data.samples.expression` is for
    denoises: ClassVar[bool] = True  # the denoiser has a part in every step

    def __init__(
        self,
        network: Hallo,
        process: Process,
        learning: Learning,
        objective: Objective = Objective(),  # noqa: B008  (frozen)
        seed: int = 0,
        encode_chunk: int = 16,
    ) -> None:
        super().__init__(network, learning, seed)
        self.process, self.objective, self.encode_chunk = process, objective, encode_chunk
        prior = getattr(process, "prior", None)
        # one that is measured is part of what a checkpoint must hold
        self.prior = prior if isinstance(prior, ReferencePrior) and prior.measured else None
        self.terms = nn.ModuleDict({name: t for name, t in objective.terms.items() if isinstance(t, nn.Module)})

    def idle(self) -> list[str]:
        return [f"reference_net.{name}" for name in self.network.reference_net.idle()]

    def prime(self, data: object) -> None:
        """Fits the linear part of an untrained codec, and measures the spreads of a prior that has none.

        Raises:
            UserError: the frames of a sample are no sequence, and the denoiser looks along time.
        """
        codec, prior = self.network.codec, self.prior
        looks = self.denoises and any(
            isinstance(module, TemporalTransformer) for module in self.network.denoiser.modules()
        )
        if looks and isinstance(data, ClipDataset) and data.policy.scattered:
            raise UserError(
                "Frames from anywhere in a video mean nothing to temporal modules: set "
                "data.samples.policy.scattered=false or model.denoiser.extras.temporal=false."
            )
        untrained = [key.removeprefix("codec.") for key in self.untrained if key.startswith("codec.")]
        fits = wants_fit(codec, untrained)
        measures = prior is not None and (
            fits or not prior.known
        )  # else it has those that its network was trained with
        seen = Seen.of(data) if fits or measures else None
        if isinstance(codec, Fitting) and fits and seen is not None:
            fit_linear(codec, seen, self.device, self.objective.lip_weight)
        elif any(not parameter.requires_grad for name, parameter in codec.named_parameters() if name in untrained):
            say("the codec is untrained: what this run learns is of no use with any other")
        if prior is None or not measures:
            return
        if seen is None:
            raise UserError(
                "process.prior.spread=null is measured in pictures, and this run has none: set "
                "data.samples.source=pixels or video, or give numbers."
            )
        prior.measure(spread_of(codec, seen))
        say("the spreads of the prior are measured")

    def training_step(self, batch: ClipBatch, batch_idx: int) -> dict[str, Tensor]:
        made = self.losses(batch, self.streams(batch.index), self.objective.drop_rates)
        values = {f"train/{name}": part.detach() for name, part in {"loss": made.loss, **made.parts}.items()}
        self.log_dict(values, batch_size=len(batch.index))
        if made.timestep is None:
            return {"loss": made.loss}
        return {"loss": made.loss, "error": made.error, "timestep": made.timestep}

    def validation_step(self, batch: ClipBatch, batch_idx: int) -> None:
        made = self.losses(batch, self.streams(batch.index, validating=True), NOTHING_DROPPED)
        values = {f"val/{name}": part for name, part in {"loss": made.loss, **made.parts}.items()}
        self.log_dict(values, batch_size=len(batch.index), sync_dist=True)

    def losses(self, batch: ClipBatch, streams: Streams, rates: DropRates) -> Losses:
        """What `predict` gave, compared with what was asked for."""
        step = self.predict(batch, streams, rates)
        importance = self.objective.weights(batch.inputs.regions, step.latents)
        loss = self.process.loss(step.prediction, step.noised, importance)
        parts: dict[str, Tensor] = {}
        for name, term in self.objective.terms.items():
            parts[name] = term(step)
            loss = loss + term.weight * parts[name]
        return Losses(loss, parts, step.error, step.noised.timestep)

    def predict(self, batch: ClipBatch, streams: Streams, rates: DropRates, learns: bool = True) -> Step:
        """One walk through the model: noise, conditions, prediction. `learns`: with gradients."""
        self.check(batch)
        with torch.no_grad():
            latents = self.encode(batch.frames, streams, "frames")
            inputs = self.inputs(batch, streams)
        noised, drop = streams.noised(self.process, latents), streams.drop(rates)
        with nullcontext() if learns else torch.no_grad():
            prepared = self.network.prepare(inputs, drop)
            cond = self.network.condition(inputs, prepared, drop)
            velocity = self.process.predictor(self.network)(noised.x, noised.timestep, cond)
        return Step(self.network, batch, latents, noised, cond, velocity, self.process)

    def inputs(self, batch: ClipBatch, streams: Streams) -> ClipInputs:
        """What the network is told of the clip besides its noisy latents, pictures as latents."""
        given = batch.inputs
        past = given.past
        if self.objective.corruption is not None and past.numel():
            past = self.objective.corruption(past, streams.uniform("patches", past), streams.normal("spoil", past))
        encoded = self.encode(past, streams, None) if past.shape[1] else self._no_frames(past)
        return replace(given, portrait=self.encode(given.portrait[:, None], streams, None)[:, 0], past=encoded)

    def encode(self, images: Tensor, streams: Streams, purpose: str | None) -> Tensor:
        """Pictures (b, n, 3, H, W) -> latents (b, n, c, h, w); latents pass. A purpose draws from the posterior."""
        codec = self.network.codec
        if images.shape[-3] == codec.latent_channels:
            return images
        moments = [codec.moments(part) for part in images.flatten(0, 1).split(self.encode_chunk)]
        mean, std = (torch.cat(part).unflatten(0, images.shape[:2]) for part in zip(*moments, strict=True))
        if purpose is None:
            return mean
        mean, std = mean.float(), std.float()  # noise schedules are rounded to what they multiply
        return mean + std * streams.normal(purpose, mean)

    def _no_frames(self, past: Tensor) -> Tensor:
        codec = self.network.codec
        height, width = past.shape[-2] // codec.factor, past.shape[-1] // codec.factor
        return past.new_zeros(len(past), 0, codec.latent_channels, height, width)

    def check(self, batch: ClipBatch) -> None:
        """
        Raises:
            UserError: the objective needs pictures and the store gives latents, or the model is not told expressions as
                the samples have them, or its levels do not halve pictures of this size.
        """
        codec = self.network.codec
        cached = batch.frames.shape[-3] == codec.latent_channels
        if any(
            side * (codec.factor if cached else 1) % self.network.pixel_multiple for side in batch.frames.shape[-2:]
        ):
            raise UserError(
                f"size.height and size.width must be multiples of {self.network.pixel_multiple} for this model."
            )
        net, told = getattr(self.network, self.told), batch.inputs.expression.shape[-1]
        if told and told != (0 if net is None else len(net.controls)):
            raise UserError(
                f"data.samples.expression names {told} controls, and model.{self.told} "
                f"{'is not there' if net is None else 'is told ' + ', '.join(net.controls)}; name those, or none."
            )
        if self.objective.corruption is not None and not batch.inputs.past.shape[1]:
            raise UserError(
                "corruption spoils motion frames, and there are none: set motion_frames=2 or corruption=none."
            )
        if cached and (users := self.objective.pixel_users):
            raise UserError(
                f"Cached latents hold no pictures, which {' and '.join(users)} need; "
                "set data.samples.source=pixels or video, or switch that off."
            )
