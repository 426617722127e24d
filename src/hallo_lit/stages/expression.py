"""The ExpressionNet learns what lids, brows and gaze do to a portrait."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from hallo_lit.components.hallo import Hallo
from hallo_lit.errors import UserError
from hallo_lit.stages.base import DiffusionStage, Losses
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.objective import Objective, Process
from hallo_lit.stages.randomness import Streams
from hallo_lit.structs import ClipBatch, DropRates, MaskPyramid


class ExpressionStage(DiffusionStage):
    """From the portrait and true controls to the frame's latents, by squared error, outside the lips.

    Controls leave nothing to guess, so there is no noise and no denoiser in this: it takes minutes where a denoiser
    takes hours. `stage=talking` may train the two together, where `data.samples.expression` names the controls.

    Raises:
        UserError: the model has no ExpressionNet.
    """

    name: ClassVar[str] = "expression"
    follows: ClassVar[tuple[str, ...]] = ("appearance", "motion", "talking", "decoder", "identity", "expression")

    def __init__(
        self,
        network: Hallo,
        process: Process,
        learning: Learning,
        objective: Objective = Objective(),  # noqa: B008  (frozen)
        seed: int = 0,
    ) -> None:
        if network.expression_net is None:
            raise UserError("stage=expression trains model.expression_net, and this model has none.")
        super().__init__(network, process, learning, objective, seed)

    def losses(self, batch: ClipBatch, streams: Streams, rates: DropRates) -> Losses:
        """
        Raises:
            UserError: the samples lack the controls.
        """
        net = self.network.expression_net
        told = batch.inputs.expression
        if net is None or told.shape[-1] != len(net.controls):
            raise UserError(
                "stage=expression needs true controls: set data.samples.expression=${model.expression_net.controls} "
                "and a store made by `hallo-lit synthesize store=true`."
            )
        with torch.no_grad():
            portrait = self.encode(batch.inputs.portrait[:, None], streams, None)[:, 0]
            frames = self.encode(batch.frames, streams, None)
        size = (frames.shape[-2], frames.shape[-1])
        masks = MaskPyramid.from_masks(batch.inputs.regions.to(frames), size, 1)
        made = net(portrait, told, masks)
        outside = 1 - masks.at(0, frames.shape[1])[:, -1].unflatten(-1, size).unflatten(0, frames.shape[:2])[:, :, None]
        error = _mean(outside, made, frames)
        still = _mean(outside, portrait[:, None], frames)
        # beside the error, its share of that of the portrait as it is
        return Losses(error.mean(), {"left": (error.mean() / still.mean().clamp(min=1e-12)).detach()}, error.detach())


def _mean(weight: Tensor, made: Tensor, true: Tensor) -> Tensor:
    """(b,) weighted squared error."""
    return ((made.float() - true.float()).square() * weight).flatten(1).mean(1)
