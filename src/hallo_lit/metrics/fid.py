"""FID: how far the look of single generated frames is from that of real ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch

from hallo_lit.errors import UserError
from hallo_lit.metrics.frechet import FrechetMetric, Moments
from hallo_lit.metrics.networks.inception import FidInception
from hallo_lit.metrics.protocols import resize
from hallo_lit.metrics.video import Unmeasurable, Video, truth_of
from hallo_lit.metrics.weight_file import WeightFile

WEIGHTS = WeightFile("pt_inception-2015-12-05-6726825d.pth", "pytorch-fid, release fid_weights")


class FID(FrechetMetric):
    """Fréchet distance of Inception pool features over all frames of both sides, whole pictures, no face crop.

    Args:
        weights: the file of `WEIGHTS`, or its tensors as safetensors.
        preset: resize filter and value range: pytorch_fid (the paper's), torch_fidelity, torchmetrics or clean.
        skip: frames left out at the start of both sides; 1 because the first generated frame copies the portrait.
        batch: frames at a time.
    """

    higher_is_better = False
    protocol: ClassVar[str] = "all frames of all pairs at 25 fps, equally many on both sides, whole picture"

    def __init__(
        self, weights: str | Path | None = None, preset: str = "pytorch_fid", skip: int = 1, batch: int = 16
    ) -> None:
        super().__init__("fid", 2048)
        if preset not in resize.FID:
            raise UserError(f"metric.fid.preset is {preset}; choose one of {', '.join(resize.FID)}.")
        self.preset, self.first, self.batch = preset, skip, batch
        self.network = self.adopt(FidInception, WEIGHTS, weights, "metric.fid.weights")

    @property
    def headings(self) -> Mapping[str, str]:
        return {self.key: "FID ↓"}

    @torch.no_grad()
    def features(self, video: Video, frames: int | None = None) -> tuple[Moments, int]:
        """Moments of the first `frames` frames after the skipped ones, and how many there would have been."""
        assert self.network is not None
        found, index = Moments.zeros(self.width, self.device), 0
        for batch in video.batches(self.batch):
            wanted = batch[max(0, self.first - index) : None if frames is None else max(0, self.first + frames - index)]
            index += len(batch)
            if len(wanted):
                images = resize.FID[self.preset](resize.to_tensor(wanted, self.device), FidInception.SIDE)
                found = found.add(self.network(images))
        return found, max(0, index - self.first)

    def measure(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        made, made_length = self.features(fake)
        true, true_length = self.features(truth_of(real), made_length)
        if true_length < made_length:
            made, _ = self.features(fake, true_length)
        self.compared(made_length, true_length)
        if not made.n:
            raise Unmeasurable("there is no frame after the first one on one of the sides")
        if not (made.total.isfinite().all() and true.total.isfinite().all()):
            raise Unmeasurable("its features are not finite")
        for moments, side in ((made, False), (true, True)):
            self.keep(Moments(*(a + b for a, b in zip(self.moments(side), moments, strict=True))), side)
        return {"frames": float(made.n)}
