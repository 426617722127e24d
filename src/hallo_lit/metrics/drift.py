"""Drift: what a long generation has lost after 25 and 50 seconds, against its own first seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import cv2
import numpy as np
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from hallo_lit.errors import UserError
from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.identity import Embedder, weights_of
from hallo_lit.metrics.video import FPS, Unmeasurable, Video

SIDE = 128  # pixels, of the mean pictures
EVERY = 5  # frames between face embeddings


@dataclass
class _Window:
    """Running sums over some seconds of video."""

    frames: int = 0
    picture: np.ndarray = field(default_factory=lambda: np.zeros((SIDE, SIDE, 3)))
    detail: float = 0.0
    identity: list[np.ndarray] = field(default_factory=list)

    def take(self, frame: np.ndarray) -> None:
        self.frames += 1
        self.picture += cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
        self.detail += float(cv2.Laplacian(grey, cv2.CV_32F).astype(np.float64).var())


class Drift(ClipMetric):
    """For each horizon N in seconds, comparing the `window` seconds that end there with the first ones:

    - colour_N: CIE76 colour distance of the mean pictures (0 = none; 2.3 is just visible).
    - structure_N: 1 - SSIM of the mean pictures.
    - detail_N: log2 of the ratio of Laplacian variance (-1 = half the fine detail left, + = noise grows).
    - identity_N: 1 - cosine of mean face embeddings; needs an encoder.

    Real video drifts as well, because people move: read it beside the row of the real clips. The published DR25 and
    DR50 of other papers are not defined precisely enough to be repeated; these are not them.

    Args:
        horizons: seconds.
        window: seconds.
        encoder: makes the face encoder; None or missing weights leave identity_N out.
    """

    protocol: ClassVar[str] = "25 fps, the window that ends at the horizon against the first window of the same clip"

    def __init__(
        self,
        horizons: Sequence[float] = (25, 50),
        window: float = 2.0,
        encoder: Callable[[], Embedder] | None = None,
    ) -> None:
        super().__init__()
        if not horizons or min(horizons) < 2 * window or window * FPS < 1:
            raise UserError(f"metric.drift: horizons {list(horizons)} must each hold two windows of {window:g} s.")
        self.horizons, self.window = tuple(sorted(horizons)), window
        kinds = ("colour", "structure", "detail", "identity")
        self.columns = tuple(f"{kind}_{horizon:g}" for horizon in self.horizons for kind in kinds)
        self.encoder: Embedder | None = None
        try:
            if encoder is None:
                raise UserError("Set metric.drift.encoder to measure it.")
            self.encoder = encoder()
            self.hashes |= weights_of(encoder)
        except UserError as error:
            self.notes.append(f"identity of drift was skipped. {error}")

    @property
    def headings(self) -> Mapping[str, str]:
        return {column: f"{column.replace('_', ' at ')} s →0" for column in self.columns}

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        windows, frames = self.gather(fake)
        first = windows[0]
        values: dict[str, float] = {}
        for horizon, late in zip(self.horizons, windows[1:], strict=True):
            if late.frames == first.frames == round(self.window * FPS):
                values |= {f"{kind}_{horizon:g}": value for kind, value in compare(first, late).items()}
        if not values:
            raise Unmeasurable(f"it lasts {frames / FPS:.1f} s; drift needs {self.horizons[0]:g} s")
        return values

    def gather(self, video: Video) -> tuple[list[_Window], int]:
        """The first window and the one of each horizon, and the length in frames."""
        length = round(self.window * FPS)
        starts = [0, *(round(horizon * FPS) - length for horizon in self.horizons)]
        windows = [_Window() for _ in starts]
        index = -1
        for index, frame in enumerate(video.frames()):
            for start, window in zip(starts, windows, strict=True):
                if start <= index < start + length:
                    window.take(frame)
                    if self.encoder is not None and (index - start) % EVERY == 0:
                        self._identify(window, frame, video, index)
        return windows, index + 1

    def _identify(self, window: _Window, frame: np.ndarray, video: Video, index: int) -> None:
        assert self.encoder is not None
        landmarks = video.landmarks[index]
        if np.isfinite(landmarks).all():
            vector = self.encoder(frame, landmarks).detach().cpu().double().flatten().numpy()
            window.identity.append(vector / np.linalg.norm(vector))


def compare(first: _Window, late: _Window) -> dict[str, float]:
    """The four numbers of `Drift` for two full windows; identity only if both have embeddings."""
    before, after = first.picture / first.frames, late.picture / late.frames
    colours = [cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2LAB) for picture in (before, after)]
    tensors = [torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in (before, after)]
    alike = structural_similarity_index_measure(tensors[0], tensors[1], data_range=1.0)
    assert isinstance(alike, torch.Tensor)
    tiny = 1e-9
    values = {
        "colour": float(np.linalg.norm(colours[0] - colours[1], axis=-1).mean()),
        "structure": 1 - float(alike),
        "detail": float(np.log2((late.detail / late.frames + tiny) / (first.detail / first.frames + tiny))),
    }
    if first.identity and late.identity:
        a, b = (np.mean(window.identity, axis=0) for window in (first, late))
        values["identity"] = 1 - float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    return values
