"""Lip opening and width against the truth, beside what loudness alone would reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.frechet import Moments
from hallo_lit.metrics.video import FPS, RATE, Unmeasurable, Video, sound_of, truth_of
from hallo_lit.signals import lip_audio

_STILL = 1e-5  # a standard deviation below which a curve is constant
_ROWS = ("made", "true", "loudness", "log_loudness")
_SHIFTS = (0.25, 0.5, 0.75)  # of the clip


class Aperture(ClipMetric):
    """Correlations over time; `_pooled` ones run over all frames of all clips instead of clip by clip.

    - aperture_r, width_r: generated against true curve.
    - loudness_r: loudness against true aperture: what an energy follower reaches.
    - partial_r: aperture_r with loudness and log loudness held fixed.
    - mismatched_r: generated curve against the truth moved by a quarter, half and three quarters of the clip: chance.

    The truth is `Video.curves` of the real clip where it has them, its landmarks otherwise. A generated mouth that
    never moves counts as 0.

    Args:
        fewest: frames with a face that a clip needs.
    """

    columns = ("aperture_r", "width_r", "loudness_r", "partial_r", "mismatched_r")
    higher_is_better = True
    protocol: ClassVar[str] = "landmark curves in eye distances at 25 fps, frames with a face on both sides"

    def __init__(self, fewest: int = 25) -> None:
        super().__init__()
        self.fewest = fewest
        for name, width in (("opening", len(_ROWS)), ("width", 2)):
            for part, zero in Moments.zeros(width)._asdict().items():
                self.add_state(f"{name}_{part}", default=zero, dist_reduce_fx="sum")

    @property
    def headings(self) -> Mapping[str, str]:
        return {
            "aperture_r": "lip gap r ↑",
            "width_r": "lip width r ↑",
            "partial_r": "beyond loudness r ↑",
            "loudness_r": "(loudness r)",
            "mismatched_r": "(wrong sound r)",
        }

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        real = truth_of(real)
        made = lip_audio.openings(fake.landmarks)
        opening, width = _truth(real)
        length = min(len(made.inner), len(opening))
        self.compared(len(made.inner), len(opening))
        curves = [curve[:length] for curve in (made.inner, made.width, opening, width)]
        kept = np.isfinite(curves).all(0)
        if kept.sum() < self.fewest:
            raise Unmeasurable(f"only {int(kept.sum())} frames show a face on both sides; {self.fewest} are needed")
        inner, made_width, opening, width = (curve[kept] for curve in curves)
        if opening.std() < _STILL:
            raise Unmeasurable("its true mouth never moves")
        loud = loudness(sound_of(fake, real), length)[kept]
        rows = np.stack([inner, opening, loud, np.log(loud + 1e-4)], 1)
        self._pool("opening", rows)
        self._pool("width", np.stack([made_width, width], 1))
        together = np.corrcoef(rows.T) if rows.std(0).min() > _STILL else None
        return {
            "aperture_r": correlation(inner, opening),
            "width_r": correlation(made_width, width) if width.std() > _STILL else np.nan,
            "loudness_r": correlation(loud, opening),
            "partial_r": correlation(inner, opening) if together is None else partial(torch.from_numpy(together)),
            "mismatched_r": float(
                np.mean([correlation(inner, np.roll(opening, round(shift * len(opening)))) for shift in _SHIFTS])
            ),
        }

    def _pool(self, name: str, rows: np.ndarray) -> None:
        for part, value in self._pooled(name).add(torch.from_numpy(rows))._asdict().items():
            setattr(self, f"{name}_{part}", value)

    def _pooled(self, name: str) -> Moments:
        return Moments(*(getattr(self, f"{name}_{part}") for part in Moments._fields))

    def compute(self) -> dict[str, Tensor]:
        values = super().compute()
        opening, width = self._pooled("opening"), self._pooled("width")
        if opening.n < 2:
            return values
        _, covariance = opening.mean_and_covariance()
        _, across = width.mean_and_covariance()
        return {
            **values,
            "aperture_r_pooled": _coefficient(covariance, 0, 1),
            "width_r_pooled": _coefficient(across, 0, 1),
            "loudness_r_pooled": _coefficient(covariance, 2, 1),
            "partial_r_pooled": torch.as_tensor(partial(covariance)),
        }


def _truth(real: Video) -> tuple[np.ndarray, np.ndarray]:
    if real.curves is not None and {"aperture", "width"} <= set(real.curves):
        opening, width = (np.asarray(real.curves[name], np.float64) for name in ("aperture", "width"))
        return opening, width
    found = lip_audio.openings(real.landmarks)
    return found.inner, found.width


def loudness(wave: np.ndarray, frames: int) -> np.ndarray:
    """(frames,) root mean square of the 40 ms around each frame's time k / 25; silence after the end."""
    half = round(RATE / FPS) // 2
    padded = np.pad(wave, (half, frames * 2 * half))[: (frames + 1) * 2 * half]
    return np.sqrt((padded[: frames * 2 * half].reshape(frames, 2 * half) ** 2).mean(1))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's; 0 when one of the curves is constant."""
    if min(a.std(), b.std()) < _STILL:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def partial(covariance: Tensor) -> float:
    """Correlation of the first two variables with the others held fixed; (n, n) covariances or correlations."""
    a, b = covariance[:2, :2], covariance[:2, 2:]
    rest = a - b @ torch.linalg.pinv(covariance[2:, 2:], hermitian=True) @ b.T
    return float(_coefficient(rest, 0, 1))


def _coefficient(covariance: Tensor, i: int, j: int) -> Tensor:
    still = min(covariance[i, i], covariance[j, j]) < _STILL**2
    return (
        torch.zeros_like(covariance[i, j]) if still else covariance[i, j] / (covariance[i, i] * covariance[j, j]).sqrt()
    )
