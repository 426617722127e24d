from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.metrics.drift import Drift
from hallo_lit.metrics.video import Video
from metrics.footage import mesh, pictures

BASE = np.clip(pictures(1, (64, 64), seed=2)[0], 40, 180)


def video(seconds: float, late: np.ndarray | None = None, since: float = 3.0) -> Video:
    """A still picture that is replaced by another one after some seconds."""
    count = round(seconds * 25)

    def read() -> Iterator[np.ndarray]:
        return (BASE if late is None or index < since * 25 else late for index in range(count))

    return Video("a", read, lambda: None, lambda: mesh(count))


def values(clip: Video, **options) -> dict[str, float]:
    metric = Drift(horizons=(4, 8), window=1.0, **options)
    metric.update(clip)
    return metric.report().values


def test_a_still_picture_does_not_drift():
    found = values(video(8))
    assert set(found) == {f"{kind}_{n}" for kind in ("colour", "structure", "detail") for n in (4, 8)}
    assert all(abs(value) < 1e-6 for value in found.values())


def test_a_colour_cast_is_seen_as_colour():
    found = values(video(8, BASE + np.array([40, 0, 0], np.uint8)))
    assert found["colour_4"] == found["colour_8"] > 10
    assert abs(found["detail_8"]) < 0.5


def test_blur_is_seen_as_lost_detail_and_only_after_it_starts():
    noisy = np.clip(BASE + np.random.default_rng(0).normal(0, 20, BASE.shape), 0, 255).astype(np.uint8)
    blurred = cv2.GaussianBlur(noisy, (0, 0), 2)
    count = 200
    clip = Video("a", lambda: (noisy if i < 125 else blurred for i in range(count)), lambda: None)
    found = values(clip)
    assert abs(found["detail_4"]) < 1e-6
    assert found["detail_8"] < -3


def test_detail_is_measured_in_octaves():
    noise = np.random.default_rng(0).normal(0, 40, (64, 64, 1)).clip(-100, 100)
    full, half = ((128 + noise * scale).round().astype(np.uint8).repeat(3, -1) for scale in (1, 0.5))
    clip = Video("a", lambda: (full if i < 50 else half for i in range(100)), lambda: None)
    assert values(clip)["detail_4"] == pytest.approx(-2, abs=0.02)


def test_short_clips_reach_the_horizons_they_reach():
    assert set(values(video(5))) == {"colour_4", "structure_4", "detail_4"}
    metric = Drift(horizons=(4,), window=1.0)
    metric.update(video(3))
    assert metric.report().verdicts[0].reason == "it lasts 3.0 s; drift needs 4 s"


def test_identity_needs_an_encoder():
    class Corner:
        def __call__(self, image: np.ndarray, landmarks: np.ndarray) -> torch.Tensor:
            return torch.tensor([1.0, 0.0] if np.array_equal(image, BASE) else [0.0, 1.0])

    found = values(video(8, BASE + 1), encoder=Corner)
    assert found["identity_4"] == pytest.approx(1)
    assert values(video(8), encoder=Corner)["identity_8"] == pytest.approx(0, abs=1e-12)
    assert "metric.drift.encoder" in Drift().report().notes[0]


def test_horizons_that_hold_no_two_windows_are_refused():
    with pytest.raises(UserError, match="must each hold two windows"):
        Drift(horizons=(3,), window=2)
