from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.metrics.smoothness import Smoothness, jitter
from hallo_lit.metrics.video import Video
from metrics.footage import clip, mesh


def grey(levels: np.ndarray) -> np.ndarray:
    return np.asarray(levels, np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)


def test_steady_change_is_smooth_and_alternation_flickers():
    metric = Smoothness(landmarks=False)
    metric.update(Video.from_arrays("ramp", grey(np.arange(20) * 5)))
    metric.update(Video.from_arrays("blink", grey(np.arange(20) % 2 * 10)))
    ramp, blink = (verdict.values["flicker"] for verdict in metric.report().verdicts)
    assert ramp == pytest.approx(0, abs=1e-4)
    assert blink == pytest.approx(20)


def test_jitter_is_measured_in_thousandths_of_an_eye_distance():
    landmarks = mesh(30)
    landmarks[..., 0] += np.arange(30)[:, None] * 3
    assert jitter(landmarks) == pytest.approx(0, abs=1e-9)
    landmarks[..., 1] += (np.arange(30) % 2)[:, None]
    assert jitter(landmarks) == pytest.approx(1000 * 2 / 100)


def test_gaps_without_a_face_do_not_count_as_jumps():
    landmarks = mesh(30)
    landmarks[10:14] = np.nan
    landmarks[14:, :, 0] += 50
    assert jitter(landmarks) == pytest.approx(0, abs=1e-9)


def test_ratios_compare_with_the_real_clip():
    metric = Smoothness()
    shaking = mesh(20)
    shaking[..., 1] += (np.arange(20) % 2)[:, None]
    fake = Video.from_arrays("a", grey(np.arange(20) % 2 * 20), landmarks=shaking)
    real = Video.from_arrays("a", grey(np.arange(20) % 2 * 10), landmarks=mesh(20))
    metric.update(fake, real)
    values = metric.report().values
    assert values["flicker_of_real"] == pytest.approx(2)
    assert "jitter_of_real" not in values


def test_two_frames_are_too_few():
    metric = Smoothness()
    metric.update(clip("a", 2, landmarks=mesh(2)))
    assert metric.report().verdicts[0].reason == "it has only 2 frames; smoothness needs three"
