"""Trains the latent codec of small models; Stable Diffusion's is imported instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from hallo_lit.components.vae import Codec
from hallo_lit.errors import UserError
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.linear_codec import Fitting, Seen, fit_linear, wants_fit
from hallo_lit.stages.perceptual import PictureDistance, PyramidDistance
from hallo_lit.stages.randomness import Streams
from hallo_lit.stages.shell import Stage
from hallo_lit.structs import ClipBatch


@dataclass(frozen=True)
class CodecObjective:
    """kl: weight of the divergence from a normal prior. unit: pulls latents to mean 0 and deviation 1, all channels
    together, so that the codec's `scale` is right by construction. lip_weight: how much more an error inside the lip
    mask counts.
    """

    kl: float = 1e-6
    unit: float = 0.01
    lip_weight: float = 4.0
    perceptual: float = 0.5
    distance: PictureDistance = field(default_factory=PyramidDistance)


class CodecStage(Stage):
    """Reconstructs pictures: weighted L1, a structural distance, a little divergence (arXiv 2112.10752, appendix G)."""

    name: ClassVar[str] = "codec"
    follows: ClassVar[tuple[str, ...]] = ("codec",)
    network: Codec

    def __init__(
        self,
        network: Codec,
        learning: Learning,
        objective: CodecObjective = CodecObjective(),
        seed: int = 0,
    ) -> None:
        super().__init__(network, learning, seed)
        self.objective = objective

    def prime(self, data: object) -> None:
        codec, seen = self.network, Seen.of(data) if wants_fit(self.network, self.untrained) else None
        if isinstance(codec, Fitting) and seen is not None:
            fit_linear(codec, seen, self.device, self.objective.lip_weight)

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        values = self.losses(batch, self.streams(batch.index))
        self.log_dict({f"train/{name}": value.detach() for name, value in values.items()}, batch_size=len(batch.index))
        return values["loss"]

    def validation_step(self, batch: ClipBatch, batch_idx: int) -> None:
        values = self.losses(batch, self.streams(batch.index, validating=True))
        shown = {f"val/{name}": value for name, value in values.items()}
        self.log_dict(shown, batch_size=len(batch.index), sync_dist=True)

    def losses(self, batch: ClipBatch, streams: Streams) -> dict[str, Tensor]:
        """The loss and its parts; `psnr` in dB and `deviation` of the latents are for reading only.

        Raises:
            UserError: the batch holds latents.
        """
        if batch.frames.shape[2] != 3:
            raise UserError("stage=codec learns from pictures; set data.samples.source=pixels or video.")
        aim, images = self.objective, batch.frames.flatten(0, 1)
        mean, std = self.network.moments(images)
        drawn = streams.normal("posterior", mean.unflatten(0, batch.frames.shape[:2])).flatten(0, 1)
        made = self.network.decode(mean + std * drawn, len(mean)).float()
        error = made - images
        parts = {
            "l1": (error.abs() * self._weights(batch)).mean(),
            "kl": 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).mean(),
            "unit": self._unit(mean.float(), std.float()),
            "perceptual": aim.distance(made, images),
        }
        loss = parts["l1"] + aim.kl * parts["kl"] + aim.unit * parts["unit"] + aim.perceptual * parts["perceptual"]
        psnr = -10 * torch.log10((error.detach() / 2).square().mean())
        return {"loss": loss, **parts, "psnr": psnr, "deviation": mean.detach().std()}

    def _weights(self, batch: ClipBatch) -> Tensor:
        """(b f, 1, H, W) of mean 1."""
        regions = batch.inputs.regions
        masks = regions if regions.ndim == 5 else regions[:, None]
        lips = masks[:, :, -1].expand(-1, batch.frames.shape[1], -1, -1).flatten(0, 1)[:, None]
        large = torch.nn.functional.interpolate(lips, batch.frames.shape[-2:], mode="bilinear")
        weights = 1 + (self.objective.lip_weight - 1) * large
        return weights / weights.mean((1, 2, 3), keepdim=True)

    @staticmethod
    def _unit(mean: Tensor, std: Tensor) -> Tensor:
        size = (mean.square() + std.square()).mean().sqrt()
        return mean.mean((0, 2, 3)).square().mean() + (size - 1).square()
