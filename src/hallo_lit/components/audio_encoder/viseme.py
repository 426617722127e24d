"""What the lips do, read from log-mel columns by a small network that was trained on self-made speech."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from hallo_lit.components.audio_encoder.base import OpenChunks, clip_windows
from hallo_lit.components.audio_encoder.mel import BLOCK, LogMel
from hallo_lit.components.own_weights import load_own
from hallo_lit.errors import UserError

ARTICULATORS = ("open", "width", "round", "press", "tuck", "tongue")
"""The controls it predicts, in the order of the synthesiser's speech controls."""


class VisemeEncoder(nn.Module):
    """Log-mel columns of 2 radius + 1 frames -> six articulation controls of the middle one, a row per frame.

    output: "controls" gives the six controls in standard deviations around their mean over speech, which a small
    generator reads fastest; "features" gives the `hidden` numbers they are computed from.
    """

    def __init__(
        self,
        output: Literal["controls", "features"] = "controls",
        layers: int = 1,
        width: int = len(ARTICULATORS),
        columns: int = 4,
        bands: int = 32,
        radius: int = 5,
        wide: int = 224,
        hidden: int = 128,
        weights: str | Path | None = None,
    ) -> None:
        """`weights`: a safetensors file; without one the network is untrained, or filled by its bundle.

        Raises:
            UserError: `output` is unknown, `layers` or `width` are not those it has, or the file does not fit.
        """
        super().__init__()
        made = {"controls": len(ARTICULATORS), "features": hidden}
        if output not in made:
            raise UserError(f"audio_encoder.output={output} is not known; choose controls or features.")
        if (layers, width) != (1, made[output]):
            raise UserError(f"audio_encoder.output={output} has layers=1 and width={made[output]}; set both so.")
        self.output, self.radius, self.layers, self.width = output, radius, layers, width
        self.mel = LogMel(columns, bands)
        self.trunk = nn.Sequential(
            nn.Linear((2 * radius + 1) * columns * bands, wide),
            nn.GELU(),
            nn.Dropout(0.15),
            nn.Linear(wide, hidden),
            nn.GELU(),
            nn.LayerNorm(hidden),
        )
        self.head = nn.Linear(hidden, len(ARTICULATORS))
        if weights is not None:
            load_own(self, weights, "audio_encoder.weights")
        self.eval()

    def features(self, windows: Tensor) -> Tensor:
        """(n, 2 radius + 1, columns, bands) -> (n, hidden), with gradients; what training calls."""
        return self.trunk(windows.flatten(1))

    def controls(self, features: Tensor) -> Tensor:
        """(n, hidden) -> (n, 6) controls in standard deviations around their mean."""
        return self.head(features)

    def forward(self, wave: Tensor, frames: int) -> Tensor:
        """wave (samples,) mono at 16 kHz -> (frames, 1, width); see `AudioEncoder`."""
        return torch.cat(list(self.stream(lambda: [wave], frames)))

    @torch.no_grad()
    def stream(self, open_chunks: OpenChunks, frames: int) -> Iterator[Tensor]:
        """As `LogMel.stream`; blocks have a fixed length, so that a stream gives the same bits as a whole file."""
        weight = self.head.weight
        for windows in clip_windows(self.mel.stream(open_chunks, frames), BLOCK, self.radius):
            rows = self.features(windows.to(weight))
            made = self.controls(rows) if self.output == "controls" else rows
            yield made[:, None].float().cpu()
