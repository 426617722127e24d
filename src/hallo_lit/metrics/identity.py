"""CSIM: does the generated face stay the person of the portrait?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.video import Unmeasurable, Video, truth_of
from hallo_lit.metrics.weight_file import sha256


class Embedder(Protocol):
    """A face recognition network: (H, W, 3) uint8 and (478, 2 or 3) landmarks -> (d,)."""

    def __call__(self, image: np.ndarray, landmarks: np.ndarray) -> Tensor: ...


def weights_of(encoder: Callable[[], Embedder]) -> dict[str, str]:
    """Name and hash of the file an encoder was made from, where it was made from one."""
    path = encoder.keywords.get("path") if isinstance(encoder, partial) else None
    return {} if path is None else {Path(path).name: sha256(Path(path))}


class Identity(ClipMetric):
    """Cosine similarity between the face embeddings of generated frames and of the portrait, mean over frames.

    The portrait is the first real frame with a face. Values of different encoders are not comparable.

    Args:
        encoder: makes the face encoder; a function, so that missing weights skip this metric and stop nothing else.
        stride: every how many frames are looked at.
    """

    columns = ("csim", "csim_lowest")
    higher_is_better = True
    protocol: ClassVar[str] = "first real frame with a face against every stride-th generated frame at 25 fps"

    def __init__(self, encoder: Callable[[], Embedder] | None = None, stride: int = 5) -> None:
        super().__init__()
        self.stride = stride
        self.encoder: Embedder | None = None
        try:
            if encoder is None:
                raise UserError("No face encoder: set metric.identity.encoder, and bring the weights it asks for.")
            self.encoder = encoder()
            self.hashes |= weights_of(encoder)
        except UserError as error:
            self.skip(error)

    @property
    def headings(self) -> Mapping[str, str]:
        return {"csim": "CSIM ↑"}

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        portrait = self.embeddings(truth_of(real), stride=1, most=1)[0]
        similarities = [float(torch.dot(found, portrait)) for found in self.embeddings(fake, self.stride)]
        return {"csim": float(np.mean(similarities)), "csim_lowest": min(similarities)}

    def embeddings(self, video: Video, stride: int, most: int | None = None) -> list[Tensor]:
        """Unit vectors (d,) float64 of the frames that show a face.

        Raises:
            Unmeasurable: none of the frames looked at shows a face.
        """
        assert self.encoder is not None
        found: list[Tensor] = []
        for index, (frame, landmarks) in enumerate(zip(video.frames(), video.landmarks, strict=False)):
            if index % stride or not np.isfinite(landmarks).all():
                continue
            vector = self.encoder(frame, landmarks).detach().cpu().double().flatten()
            if vector.isfinite().all() and vector.norm() > 0:
                found.append(vector / vector.norm())
            if most is not None and len(found) == most:
                break
        if not found:
            raise Unmeasurable("none of the frames looked at gave a face embedding")
        return found
