"""The codec's decoder learns to draw what the denoiser predicts."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from hallo_lit.components.hallo import Hallo
from hallo_lit.errors import UserError
from hallo_lit.stages.base import DiffusionStage, Losses
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.objective import Objective, Process
from hallo_lit.stages.perceptual import PictureDistance, PyramidDistance
from hallo_lit.stages.randomness import Streams
from hallo_lit.structs import ClipBatch, DropRates


class DecoderStage(DiffusionStage):
    """Predicted latents are never quite those of an encoder, and a decoder that knows only the latter shows it.

    The denoiser predicts clean latents from noisy ones and stays as it is; the decoder's pictures of them are compared
    with the true frames: L1, weighted as the objective says, and `perceptual` times a structural distance.

    Raises:
        UserError: the objective has losses of its own.
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
    ) -> None:
        if objective.terms:
            raise UserError(
                f"stage=decoder weighs its pictures by itself: switch the {' and the '.join(objective.terms)} loss off "
                "(perceptual=none, auxiliary=none)."
            )
        super().__init__(network, process, learning, objective, seed)
        self.perceptual, self.distance = perceptual, distance

    def losses(self, batch: ClipBatch, streams: Streams, rates: DropRates) -> Losses:
        step = self.predict(batch, streams, rates, learns=False)
        true, latents = batch.frames.flatten(0, 1), step.clean.flatten(0, 1)
        made = self.network.codec.decode(latents, len(latents)).float()
        error = (made - true).abs()
        weights = self.objective.weights(batch.inputs.regions, batch.frames)
        parts: dict[str, Tensor] = {
            "l1": (error.unflatten(0, batch.frames.shape[:2]) * (1.0 if weights is None else weights)).mean(),
            "perceptual": self.distance(made, true),
        }
        loss = parts["l1"] + self.perceptual * parts["perceptual"]
        return Losses(loss, parts, step.error, step.noised.timestep)

    def check(self, batch: ClipBatch) -> None:
        super().check(batch)
        if batch.frames.shape[2] != 3:
            raise UserError("stage=decoder compares pictures; set data.samples.source=pixels or video.")
