"""Trains the small face encoder: two pictures of one person agree, pictures of others do not."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from hallo_lit.components.face_encoder.conv import ConvFaceEncoder
from hallo_lit.stages.face_pairs import FacePairs
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.randomness import Streams
from hallo_lit.stages.shell import Stage


class FaceEncoderStage(Stage):
    """The contrastive loss of SimCLR (arXiv 2002.05709) between persons; colour, brightness and blur carry no identity.

    temperature: of the softmax over cosines. norm: embeddings are pulled to this length, which ArcFace's have, since
    the identity projection reads them as they are.
    """

    name: ClassVar[str] = "face_encoder"
    follows: ClassVar[tuple[str, ...]] = ("face_encoder",)
    network: ConvFaceEncoder

    def __init__(
        self,
        network: ConvFaceEncoder,
        learning: Learning,
        temperature: float = 0.1,
        norm: float = 22.0,
        norm_weight: float = 1e-3,
        jitter: float = 0.2,
        seed: int = 0,
    ) -> None:
        super().__init__(network, learning, seed)
        self.temperature, self.norm, self.norm_weight, self.jitter = temperature, norm, norm_weight, jitter

    def training_step(self, batch: FacePairs, batch_idx: int) -> Tensor:
        views = self._jittered(batch.views, self.streams(batch.index))
        loss, values = self.losses(views)
        shown = {f"train/{name}": value.detach() for name, value in {"loss": loss, **values}.items()}
        self.log_dict(shown, batch_size=len(batch.index))
        return loss

    def validation_step(self, batch: FacePairs, batch_idx: int) -> None:
        loss, values = self.losses(batch.views)
        shown = {f"val/{name}": value for name, value in {"loss": loss, **values}.items()}
        self.log_dict(shown, batch_size=len(batch.index), sync_dist=True)

    def losses(self, views: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """views (b, 2, 3, size, size). `found`: how often the nearest picture is the same person's."""
        embedded = self.network.embed(views.flatten(0, 1)).float()  # (2 b, width): person 0, person 0, person 1 ...
        unit = F.normalize(embedded, dim=1)
        cosines = (unit @ unit.T / self.temperature).fill_diagonal_(float("-inf"))
        partner = torch.arange(len(unit), device=unit.device) ^ 1
        contrast = F.cross_entropy(cosines, partner)
        length = (embedded.norm(dim=1) - self.norm).square().mean()
        found = (cosines.argmax(1) == partner).float().mean()
        return contrast + self.norm_weight * length, {"contrast": contrast, "length": length, "found": found}

    def _jittered(self, views: Tensor, streams: Streams) -> Tensor:
        """Other light and contrast per picture and channel."""
        shift, gain = streams.normal("jitter", views.new_zeros(len(views), 4, 3, 1, 1)).split(2, 1)
        return (views * (1 + self.jitter * gain) + self.jitter * shift).clamp(-1, 1)
