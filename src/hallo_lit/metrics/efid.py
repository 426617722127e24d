"""E-FID: Fréchet distance of expression codes. No Inception network is involved; "FID" only names the formula."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.metrics.frechet import FrechetMetric
from hallo_lit.metrics.networks import expression
from hallo_lit.metrics.protocols import face_align, head_motion, resize
from hallo_lit.metrics.video import Unmeasurable, Video, truth_of
from hallo_lit.metrics.weight_file import WeightFile

WEIGHTS = WeightFile("epoch_20.pth", "Deep3DFaceRecon_pytorch")
PROVIDERS = {"deep3d64": expression.WIDTH, "tracker79": 79, "landmarks": 7}


class EFID(FrechetMetric):
    """Expression codes of all frames, generated against real.

    Args:
        provider: deep3d64 (codes of the reconstruction network, EMO's definition), tracker79 (codes another program
            saved beside each video as NAME.npy, NAME.pt or NAME/track_params.pt: the paper's group) or landmarks
            (seven lip, lid and brow ratios, needs no file; reported as landmark_fd, never as E-FID).
        weights: the file of `WEIGHTS`, for deep3d64.
        batch: frames at a time.
    """

    higher_is_better = False
    protocol: ClassVar[str] = "all frames of all pairs at 25 fps, equally many; frames without a face left out, counted"
    seen: Tensor

    def __init__(self, provider: str = "deep3d64", weights: str | Path | None = None, batch: int = 16) -> None:
        if provider not in PROVIDERS:
            raise UserError(f"metric.efid.provider is {provider}; choose one of {', '.join(PROVIDERS)}.")
        key = "landmark_fd" if provider == "landmarks" else f"e_fid/{provider}"
        super().__init__(key, PROVIDERS[provider])
        self.add_state("seen", default=torch.zeros(2, 2, dtype=torch.float64), dist_reduce_fx="sum")
        self.provider, self.batch = provider, batch
        self.network = None
        if provider == "deep3d64":
            self.network = self.adopt(expression.ReconNet, WEIGHTS, weights, "metric.efid.weights", "net_recon")

    @property
    def headings(self) -> Mapping[str, str]:
        return {self.key: "landmark FD ↓" if self.provider == "landmarks" else "E-FID ↓"}

    def codes(self, video: Video) -> np.ndarray:
        """(F, width), NaN rows where there is no face."""
        if self.provider == "tracker79":
            return saved_codes(video, self.width)
        if self.provider == "landmarks":
            return head_motion.ratios(video.landmarks)
        return self._reconstruct(video)

    @torch.no_grad()
    def _reconstruct(self, video: Video) -> np.ndarray:
        assert self.network is not None
        rows, index = [], 0
        for batch in video.batches(self.batch):
            codes = np.full((len(batch), self.width), np.nan)
            landmarks = video.landmarks[index : index + len(batch)]
            index += len(batch)
            faces = [i for i, points in enumerate(landmarks) if np.isfinite(points).all()]
            if faces:
                crops = [aligned(batch[i], landmarks[i]) for i in faces]
                images = resize.to_tensor(np.stack(crops), self.device) / 255
                codes[faces] = self.network.expression(images).double().cpu().numpy()
            rows.append(codes)
        return np.concatenate(rows)

    def measure(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        sides = [self.codes(fake), self.codes(truth_of(real))]
        count = min(len(side) for side in sides)
        self.compared(len(sides[0]), len(sides[1]))
        sides = [side[:count] for side in sides]
        if not all(np.isfinite(side).all(1).any() for side in sides):
            raise Unmeasurable("one of the sides has no frame with finite codes")
        kept = [self.add(codes, real=bool(side)) for side, codes in enumerate(sides)]
        self.seen = self.seen + torch.tensor([[count, n] for n in kept], dtype=torch.float64, device=self.device)
        return {"frames": float(count), "dropped": 1 - kept[0] / count, "dropped_real": 1 - kept[1] / count}

    def remarks(self) -> list[str]:
        notes = super().remarks()
        for side, (frames, kept) in zip(("generated", "real"), self.seen.tolist(), strict=True):
            if kept < frames:
                notes.append(f"{self.key}: {1 - kept / frames:.1%} of the {side} frames had no face and were left out.")
        return notes


def aligned(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The 224-pixel crop of (H, W, 3) that the reconstruction network wants."""
    height, width = image.shape[:2]
    return face_align.align(face_align.five_points(landmarks), (height, width)).crop(image)


def saved_codes(video: Video, width: int) -> np.ndarray:
    """Codes that lie beside a video, (F, width).

    Raises:
        Unmeasurable: there are none, or they have another width.
    """
    path = video.path
    if path is None:
        raise Unmeasurable("it is no file that saved codes could lie beside")
    choices = [path.with_suffix(".npy"), path.with_suffix(".pt"), path.with_suffix("") / "track_params.pt"]
    found = next((choice for choice in choices if choice.is_file()), None)
    if found is None:
        raise Unmeasurable(f"no saved codes: none of {', '.join(choice.name for choice in choices)} lies beside it")
    try:
        if found.suffix == ".npy":
            codes = np.load(found, allow_pickle=False)
        else:
            content = torch.load(found, map_location="cpu", weights_only=True)
            codes = np.asarray(content["exp"] if isinstance(content, Mapping) else content)
    except Exception as error:  # damaged files raise a dozen kinds
        raise Unmeasurable(f"{found.name} cannot be read as saved codes") from error
    if codes.ndim != 2 or codes.shape[1] != width:
        raise Unmeasurable(f"{found.name} holds an array of shape {codes.shape} instead of (frames, {width})")
    return codes.astype(np.float64)
