"""The ExpressionNet learns what lids, brows and gaze do to a portrait."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F

from hallo_lit.components.hallo import Hallo
from hallo_lit.errors import UserError
from hallo_lit.stages.base import DiffusionStage, Losses
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.objective import Objective, Process
from hallo_lit.stages.perceptual import PictureDistance, PyramidDistance
from hallo_lit.stages.randomness import Streams
from hallo_lit.structs import ClipBatch, DropRates, MaskPyramid, per_frame


class ExpressionStage(DiffusionStage):
    """From the portrait and true controls to the frame: L1 and `perceptual` times a structural distance of pictures.

    Controls leave nothing to guess, so there is no noise and no denoiser in this: it takes minutes where a denoiser
    takes hours. The lips do not count, and what speech does to the chin is an outlier, which L1 bears. Nothing is
    dropped, and the objective's weight of the lips means nothing here. `stage=talking` may train the
    two together, where `data.samples.expression` names the controls.

    Raises:
        UserError: the model has no ExpressionNet or does not look at what it shows, or the objective has losses.
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
        perceptual: float = 0.5,
        distance: PictureDistance = PyramidDistance(),  # noqa: B008  (has no state)
    ) -> None:
        if network.expression_net is None:
            raise UserError("stage=expression trains model.expression_net, and this model has none.")
        if not network.denoiser.reference_input and getattr(process, "prior", None) is None:
            raise UserError(
                "Nothing of this model starts from the portrait, so that no expression would reach its frames: set "
                "process=reference_preconditioned, or model.denoiser.reference_input=true where the weights have it."
            )
        if objective.terms:
            raise UserError(
                f"stage=expression weighs its pictures by itself: switch the {' and the '.join(objective.terms)} loss "
                "off (perceptual=none, auxiliary=none)."
            )
        super().__init__(network, process, learning, objective, seed)
        self.perceptual, self.distance = perceptual, distance

    def losses(self, batch: ClipBatch, streams: Streams, rates: DropRates) -> Losses:
        self.check(batch)
        net, told, inputs = self.network.expression_net, batch.inputs.expression, batch.inputs
        assert net is not None
        true, frames = batch.frames.flatten(0, 1), batch.frames.shape[1]
        size = (true.shape[-2] // self.network.codec.factor, true.shape[-1] // self.network.codec.factor)
        regions = MaskPyramid.from_masks(inputs.regions, size, 1).levels[0].unflatten(-1, size)  # as in an animator
        made = net(inputs.portrait, told, regions).flatten(0, 1).float()
        lips = regions[:, :, -1:].expand(-1, frames, -1, -1, -1).flatten(0, 1)
        outside = 1 - F.interpolate(lips, true.shape[-2:], mode="bilinear")  # (b f, 1, H, W)
        error = ((made - true).abs() * outside).flatten(1).mean(1).unflatten(0, (-1, frames)).mean(1)
        still = ((per_frame(inputs.portrait, frames) - true).abs() * outside).mean()
        structure = self.distance(true + (made - true) * outside, true)
        parts = {
            "l1": error.mean(),
            "perceptual": structure,
            "left": error.mean().detach() / still.clamp(min=1e-9),  # of the error of a still face
        }
        return Losses(error.mean() + self.perceptual * structure, parts, error.detach())

    def check(self, batch: ClipBatch) -> None:
        """
        Raises:
            UserError: the samples lack the controls, or are no pictures.
        """
        super().check(batch)
        if batch.inputs.expression.shape[-1] == 0:
            raise UserError(
                "stage=expression needs true controls: set data.samples.expression=${model.expression_net.controls} "
                "and a store made by `hallo-lit synthesize store=true`."
            )
        if batch.frames.shape[2] != 3:
            raise UserError("stage=expression compares pictures; set data.samples.source=pixels or video.")
