"""FVD: how far the motion and look of short generated windows is from that of real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from hallo_lit.errors import UserError
from hallo_lit.metrics.frechet import FrechetMetric
from hallo_lit.metrics.networks.i3d import I3D, SHORTEST
from hallo_lit.metrics.protocols import resize
from hallo_lit.metrics.video import Unmeasurable, Video, truth_of
from hallo_lit.metrics.weight_file import WeightFile, is_torchscript

WEIGHTS = WeightFile("i3d_torchscript.pt or i3d_pretrained_400.pt", "StyleGAN-V or VideoGPT")


class FVD(FrechetMetric):
    """Fréchet distance of I3D logits over consecutive windows of all clips.

    Args:
        weights: TorchScript or a plain state dict; the file decides which network runs.
        preset: standard (bilinear stretch), centre_crop, or disco (Pillow bicubic, eps 1e-3: the script the paper's
            group names).
        window: frames per sample, at least 9; windows do not overlap, an incomplete last one is left out.
        ddof: 1 = unbiased covariance; 0 as StyleGAN-V.
    """

    higher_is_better = False
    protocol: ClassVar[str] = "consecutive windows at 25 fps, the same ones on both sides, whole picture, logits of I3D"

    def __init__(
        self, weights: str | Path | None = None, preset: str = "standard", window: int = 16, ddof: int = 1
    ) -> None:
        super().__init__("fvd", I3D.WIDTH, ddof)
        if preset not in resize.FVD:
            raise UserError(f"metric.fvd.preset is {preset}; choose one of {', '.join(resize.FVD)}.")
        if window < SHORTEST:
            raise UserError(f"metric.fvd.window is {window}; I3D needs at least {SHORTEST} frames.")
        self.preset, self.window = preset, window
        self.network = self._network(weights)

    def _network(self, weights: str | Path | None) -> nn.Module | None:
        path = None if weights is None else Path(weights).expanduser()
        if path is None or not path.is_file() or not is_torchscript(path):
            make: Callable[[], I3D] = partial(I3D, 1e-3, 1) if self.preset == "disco" else I3D
            return self.adopt(make, WEIGHTS, weights, "metric.fvd.weights")
        try:
            script = torch.jit.load(str(path), map_location="cpu").eval()
        except RuntimeError:
            self.skip(UserError(f"{path} is a damaged TorchScript file; fetch {WEIGHTS.name} again."))
            return None
        self.credit(path, WEIGHTS)
        return _Script(script)

    @property
    def headings(self) -> Mapping[str, str]:
        return {self.key: "FVD ↓"}

    def windows(self, video: Video) -> Iterator[np.ndarray]:
        """(window, H, W, 3) uint8, complete ones only."""
        return (batch for batch in video.batches(self.window) if len(batch) == self.window)

    @torch.no_grad()
    def features(self, frames: np.ndarray) -> Tensor:
        """(T, H, W, 3) uint8 -> (1, 400)."""
        assert self.network is not None
        images = resize.FVD[self.preset](resize.to_tensor(frames, self.device), I3D.SIDE)
        return self.network(images.transpose(0, 1)[None])

    def measure(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        found: list[tuple[Tensor, Tensor]] = []
        lengths = [0, 0]
        for made, true in zip_longest(self.windows(fake), self.windows(truth_of(real))):
            lengths = [lengths[0] + (made is not None), lengths[1] + (true is not None)]
            if made is not None and true is not None:
                found.append((self.features(made), self.features(true)))
        self.compared(lengths[0], lengths[1], "windows")
        if not found:
            raise Unmeasurable(f"one of the sides is shorter than a window of {self.window} frames")
        sides = [torch.cat(side) for side in zip(*found, strict=True)]
        if not all(side.isfinite().all() for side in sides):
            raise Unmeasurable("its features are not finite")
        self.add(sides[0], real=False)
        self.add(sides[1], real=True)
        return {"windows": float(len(found))}


class _Script(nn.Module):
    """StyleGAN-V's file, which would also resize and rescale; both are done before."""

    def __init__(self, script: nn.Module) -> None:
        super().__init__()
        self.script = script

    def forward(self, clips: Tensor) -> Tensor:
        """(n, 3, T, 224, 224) in [-1, 1] -> (n, 400)."""
        return self.script(clips, rescale=False, resize=False, return_features=True)
