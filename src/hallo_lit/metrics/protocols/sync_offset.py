"""Sync-C and Sync-D from embeddings: which shift brings lips and speech closest, and how clearly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.signal import medfilt
from torch import Tensor

REACH = 15  # windows = frames, either way


@dataclass(frozen=True)
class SyncScore:
    """All float64."""

    distances: Tensor  # (W, 2 reach + 1): lip window i to audio window i + k - reach
    mean: Tensor  # (2 reach + 1,)
    framewise: np.ndarray  # (W,) confidence over time, 9-tap median

    @property
    def best(self) -> int:
        return int(self.mean.argmin())

    @property
    def offset(self) -> int:
        """Frames; positive: the audio content is early, it leads the lips."""
        return len(self.mean) // 2 - self.best

    @property
    def distance(self) -> float:
        """Sync-D."""
        return float(self.mean[self.best])

    @property
    def confidence(self) -> float:
        """Sync-C."""
        return float(self.mean.median() - self.mean[self.best])


def search(lips: Tensor, audio: Tensor, reach: int = REACH) -> SyncScore:
    """Compares every lip window with the audio windows around it; (W, d) each.

    Beyond the ends of the recording stand zero vectors, as in the original: short clips are biased, so ask for at
    least 100 frames. Like torch's `pairwise_distance`, 1e-6 is added to every component of a difference.
    """
    lips, audio = lips.double(), audio.double()
    padded = F.pad(audio, (0, 0, reach, reach))
    columns = [(lips - padded[k : k + len(lips)] + 1e-6).norm(dim=1) for k in range(2 * reach + 1)]
    distances = torch.stack(columns, 1)
    mean = distances.mean(0)
    framewise = medfilt((mean.median() - distances[:, mean.argmin()]).cpu().numpy(), 9)
    return SyncScore(distances, mean, framewise)


def usable_length(frames: int, samples: int) -> int:
    """Frames (25 fps) that both picture and 16 kHz sound cover."""
    return min(frames, samples // 640)


def window_count(frames: int, samples: int) -> int:
    """Windows of five frames; the last possible one is dropped, as in the original."""
    return max(0, usable_length(frames, samples) - 5)


def audio_windows(coefficients: Tensor, count: int) -> Tensor:
    """(T, 13) MFCC -> (count, 1, 13, 20) float32: window i starts at column 4 i."""
    return coefficients.T.unfold(1, 20, 4)[:, :count].permute(1, 0, 2).unsqueeze(1).float()
