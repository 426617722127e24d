"""PSNR, SSIM and LPIPS of frames that should be equal one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.functional.image import structural_similarity_index_measure

from hallo_lit.errors import UserError
from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.protocols import resize
from hallo_lit.metrics.video import Unmeasurable, Video, truth_of
from hallo_lit.metrics.weight_file import WeightFile, load_strict, read_state

WEIGHTS = WeightFile("alexnet-owt-7be5be79.pth", "torchvision")
LIPS = (61, 291, 0, 17)
_NONE = np.zeros((0, 0, 0, 3), np.uint8)
MARGIN = 0.3  # of the lips' width, on every side of the mouth box


class Paired(ClipMetric):
    """Means over frames, then over clips; identical frames have an infinite PSNR.

    Args:
        weights: AlexNet's file for LPIPS; without it PSNR and SSIM are still measured.
        size: (height, width) both sides are resized to first; None wants equal sizes.
        mouth: also PSNR in a box around the real lips.
        batch: frames at a time.
    """

    judges_real: ClassVar[bool] = False
    columns = ("psnr", "ssim", "lpips", "mouth_psnr")
    protocol: ClassVar[str] = "frame i against frame i at 25 fps over the shorter length, RGB in 0..1"

    def __init__(
        self,
        weights: str | Path | None = None,
        size: tuple[int, int] | None = None,
        mouth: bool = False,
        batch: int = 8,
    ) -> None:
        super().__init__()
        self.size, self.mouth, self.batch = size, mouth, batch
        self.network: nn.Module | None = None
        try:
            self.network = self._lpips(WEIGHTS.find(weights, "metric.paired.weights"))
        except UserError as error:
            self.notes.append(f"lpips was skipped. {error}")

    @property
    def headings(self) -> Mapping[str, str]:
        return {"psnr": "PSNR ↑", "ssim": "SSIM ↑", "lpips": "LPIPS ↓", "mouth_psnr": "mouth PSNR ↑"}

    def _lpips(self, path: Path) -> nn.Module:
        from torchmetrics.functional.image.lpips import _LPIPS

        with torch.random.fork_rng(devices=[]):
            network = _LPIPS(net="alex", pnet_rand=True)  # the public class would download the backbone
        features = nn.Sequential()
        for part in network.net.children():
            for name, layer in part.named_children():
                features.add_module(name, layer)
        backbone = nn.ModuleDict({"features": features})
        load_strict(backbone, read_state(path), path, ignored=("classifier.",))
        self.credit(path, WEIGHTS)
        return network.requires_grad_(False).eval()

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        real = truth_of(real)
        sums, count = np.zeros(3), 0
        mouths: list[float] = []
        for made, true in self.pairs(fake, real):
            a, b = (resize.to_tensor(side, self.device) / 255 for side in (made, true))
            sums += [_psnr(a, b).sum().item(), _ssim(a, b).sum().item(), self._distance(a, b)]
            if self.mouth:
                mouths += [_psnr(x[None], y[None]).item() for x, y in self._mouths(a, b, real, count)]
            count += len(made)
        if not count:
            raise Unmeasurable("one of the sides has no frames")
        psnr, ssim, lpips = (sums / count).tolist()
        values = {"psnr": psnr, "ssim": ssim, "mouth_psnr": float(np.mean(mouths)) if mouths else np.nan}
        return values if self.network is None else {**values, "lpips": lpips}

    def pairs(self, fake: Video, real: Video) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of both sides, (n, H, W, 3) uint8 each."""
        lengths = [0, 0]
        for made, true in zip_longest(fake.batches(self.batch), real.batches(self.batch), fillvalue=_NONE):
            lengths = [lengths[0] + len(made), lengths[1] + len(true)]
            made, true = made[: len(true)], true[: len(made)]
            if not len(made):
                continue
            if self.size is not None:
                made, true = (_resized(side, self.size) for side in (made, true))
            if made.shape != true.shape:
                sizes = " and ".join(f"{side.shape[2]}x{side.shape[1]}" for side in (made, true))
                raise Unmeasurable(f"generated and real frames have different sizes ({sizes}); set metric.paired.size")
            yield made, true
        self.compared(lengths[0], lengths[1])

    @torch.no_grad()
    def _distance(self, a: Tensor, b: Tensor) -> float:
        return 0.0 if self.network is None else float(self.network(a, b, normalize=True).double().sum())

    def _mouths(self, a: Tensor, b: Tensor, real: Video, start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for i, points in enumerate(real.landmarks[start : start + len(a)]):
            if self.size is not None or not np.isfinite(points).all():
                continue  # landmarks are in the pixels of the file
            lips = points[list(LIPS), :2]
            pad = MARGIN * np.ptp(lips[:, 0])
            left, top = np.maximum(0, np.floor(lips.min(0) - pad)).astype(int)
            right, bottom = np.ceil(lips.max(0) + pad).astype(int)
            box = (slice(None), slice(top, bottom), slice(left, right))
            if a[i][box].numel():
                yield a[i][box], b[i][box]


def _psnr(a: Tensor, b: Tensor) -> Tensor:
    """(n, 3, H, W) in 0..1 -> (n,) float64."""
    return -10 * (a.double() - b.double()).square().mean((1, 2, 3)).log10()


def _ssim(a: Tensor, b: Tensor) -> Tensor:
    found = structural_similarity_index_measure(a, b, data_range=1.0, reduction="none")
    assert isinstance(found, Tensor)
    return found.double()


def _resized(frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    smaller = frames.shape[1] > height
    filtering = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.stack([cv2.resize(frame, (width, height), interpolation=filtering) for frame in frames])
