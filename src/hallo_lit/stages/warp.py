"""What stages have in common that teach a network to move pixels by true controls."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from hallo_lit.components.hallo import Hallo
from hallo_lit.components.portrait_warp import PortraitWarp
from hallo_lit.errors import UserError
from hallo_lit.stages.base import DiffusionStage, Losses
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.objective import Objective, Process
from hallo_lit.stages.perceptual import PictureDistance, PyramidDistance
from hallo_lit.stages.randomness import Streams
from hallo_lit.structs import ClipBatch, ClipInputs, DropRates, MaskPyramid, per_frame


class WarpStage(DiffusionStage):
    """From the portrait and true controls to the frame: L1 and `perceptual` times a structural distance of pictures.

    Controls leave nothing to guess, so there is no noise and no denoiser in this: it takes minutes where a denoiser
    takes hours. The lips do not count, and what speech does to the chin is an outlier, which L1 bears. Nothing is
    dropped, and the objective's weight of the lips means nothing here.

    Raises:
        UserError: the model lacks the part or makes no use of it, or the objective has losses.
    """

    denoises: ClassVar[bool] = False
    follows: ClassVar[tuple[str, ...]] = (
        "appearance",
        "motion",
        "talking",
        "decoder",
        "identity",
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
    ) -> None:
        if getattr(network, self.told) is None:
            raise UserError(f"stage={self.name} trains model.{self.told}, and this model has none.")
        self.require_use(network, process)
        objective.refuse_terms(self.name)
        super().__init__(network, process, learning, objective, seed)
        self.perceptual, self.distance = perceptual, distance

    def require_use(self, network: Hallo, process: Process) -> None:
        """
        Raises:
            UserError: nothing of what the part moves would reach a video.
        """

    @property
    def part(self) -> PortraitWarp:
        found: PortraitWarp = getattr(self.network, self.told)
        return found

    def moved(self, inputs: ClipInputs) -> tuple[Tensor, Tensor]:
        """The portraits as the part moves them, (b, f, 3, H, W), and masks of their lips (b, 1, 1, h, w)."""
        factor = self.network.codec.factor
        size = (inputs.portrait.shape[-2] // factor, inputs.portrait.shape[-1] // factor)
        regions = MaskPyramid.from_masks(inputs.regions, size, 1).levels[0].unflatten(-1, size)  # as in an animator
        return self.part(inputs.portrait, inputs.expression, regions), regions[:, :, -1:]

    def losses(self, batch: ClipBatch, streams: Streams, rates: DropRates) -> Losses:
        self.check(batch)
        frames = batch.frames.shape[1]
        true = batch.frames.flatten(0, 1)
        pictures, lips = self.moved(batch.inputs)
        made = pictures.flatten(0, 1).float()
        masks = lips.expand(-1, frames, -1, -1, -1).flatten(0, 1)
        outside = 1 - F.interpolate(masks, true.shape[-2:], mode="bilinear")  # (b f, 1, H, W)
        error = ((made - true).abs() * outside).flatten(1).mean(1).unflatten(0, (-1, frames)).mean(1)
        still = ((per_frame(batch.inputs.portrait, frames) - true).abs() * outside).mean()
        structure = self.distance(true + (made - true) * outside, true)
        parts = {
            "l1": error.mean(),
            "perceptual": structure,
            "left": error.mean().detach() / still.clamp(min=1e-9),  # of the error of a portrait that stays
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
                f"stage={self.name} needs true controls: set data.samples.expression=${{model.{self.told}.controls}} "
                "and a store made by `hallo-lit synthesize store=true`."
            )
        if batch.frames.shape[2] != 3:
            raise UserError(f"stage={self.name} compares pictures; set data.samples.source=pixels or video.")
