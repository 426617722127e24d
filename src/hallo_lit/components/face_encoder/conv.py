"""A small face encoder of our own, for when no ArcFace file is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from hallo_lit.components.face_encoder.alignment import aligned_face
from hallo_lit.components.own_weights import load_own


class Residual(nn.Module):
    """Halves the picture: a strided convolution, then a residual one."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(cin, cout, 3, stride=2, padding=1)
        self.body = nn.Sequential(nn.GroupNorm(8, cout), nn.SiLU(), nn.Conv2d(cout, cout, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return x + self.body(x)


class ConvFaceEncoder(nn.Module):
    """Aligned face -> embedding, by halving stages and one learned weighting over the last grid's places.

    The weighting keeps where things are in the face, which an average would lose. Group norms only, so `train()` and
    `eval()` agree. Its weights belong to the model bundle.
    """

    def __init__(
        self,
        width: int = 512,
        size: int = 112,
        channels: Sequence[int] = (24, 48, 96, 192),
        seed: int = 0,
        weights: str | Path | None = None,
    ) -> None:
        """`size`: side of the aligned face in pixels, a multiple of 2 ** len(channels); `channels`: multiples of 8;
        `weights`: a safetensors file that `hallo-lit weights export` made of a run of stage=face_encoder, None: random
        numbers of `seed`, or what its bundle brings.

        Raises:
            UserError: the file does not fit.
        """
        super().__init__()
        if size % 2 ** len(channels):
            raise ValueError(f"size {size} is not a multiple of {2 ** len(channels)}")
        self.width, self.size = width, size
        grid = size >> len(channels)
        self.stages = nn.Sequential(
            *(Residual(cin, cout) for cin, cout in zip((3, *channels), channels, strict=False)),
            nn.GroupNorm(8, channels[-1]),
            nn.SiLU(),
            nn.Conv2d(channels[-1], channels[-1], grid, groups=channels[-1]),
        )
        self.head = nn.Linear(channels[-1], width)
        self._initialise(torch.Generator().manual_seed(seed))
        if weights is not None:
            load_own(self, weights, "face_encoder.weights")

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                fan_in = module.weight[0].numel()
                module.weight.normal_(0.0, fan_in**-0.5, generator=generator)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def embed(self, faces: Tensor) -> Tensor:
        """(b, 3, size, size) in [-1, 1] -> (b, width), with gradients; what training calls."""
        return self.head(self.stages(faces).flatten(1))

    def prepare(self, image: np.ndarray, landmarks: np.ndarray) -> Tensor:
        """A photo and its landmarks -> the (3, size, size) face in [-1, 1] that `embed` takes."""
        face = aligned_face(image, landmarks, self.size)
        return torch.from_numpy(face).permute(2, 0, 1).float() / 127.5 - 1

    @torch.no_grad()
    def forward(self, image: np.ndarray, landmarks: np.ndarray) -> Tensor:
        """See `FaceEncoder`."""
        face = self.prepare(image, landmarks)[None].to(self.head.weight)
        return self.embed(face)[0].float().cpu()
