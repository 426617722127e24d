from __future__ import annotations

import numpy as np
import pytest
import torch

from hallo_lit.metrics.aperture import Aperture, correlation, loudness, partial
from hallo_lit.metrics.video import Video
from metrics.footage import clip, curve, talking, tone

FRAMES = 200


def wave_of(levels: np.ndarray) -> np.ndarray:
    """Sound whose loudness around frame k is levels[k]."""
    noise = np.sign(np.random.default_rng(9).standard_normal(len(levels) * 640))
    return noise * np.repeat(levels, 640)


def pair(made: np.ndarray, true: np.ndarray, wave: np.ndarray | None = None) -> tuple[Video, Video]:
    wave = tone(len(true) / 25) if wave is None else wave
    return clip("a", 2, landmarks=talking(made, 0.3 * made), wave=wave), clip(
        "a", 2, landmarks=talking(true, 0.3 * true)
    )


def values(made: np.ndarray, true: np.ndarray, wave: np.ndarray | None = None) -> dict[str, float]:
    metric = Aperture()
    metric.update(*pair(made, true, wave))
    return metric.report().values


def test_the_truth_itself_scores_one_and_its_opposite_minus_one():
    true = curve(FRAMES)
    same, opposite = values(true, true), values(2 - true, true)
    for name in ("aperture_r", "width_r", "aperture_r_pooled", "width_r_pooled"):
        assert same[name] == pytest.approx(1, abs=1e-9)
        assert opposite[name] == pytest.approx(-1, abs=1e-9)


def test_an_unrelated_mouth_scores_nothing():
    found = values(curve(2000, 1), curve(2000, 2))
    assert abs(found["aperture_r"]) < 0.15
    assert abs(found["mismatched_r"]) < 0.15


def test_a_mouth_that_only_follows_loudness_has_no_partial_correlation():
    rng = np.random.default_rng(3)
    levels = 0.05 + curve(2000, 4)
    true = levels + 0.05 * rng.standard_normal(2000).clip(-1, 1)
    follower = 2 * levels + 0.001 * rng.standard_normal(2000)
    sound = wave_of(np.append(levels, levels[-1]))[320:]  # frame k hears the 20 ms before and after it
    found = values(follower, true, sound)
    assert found["aperture_r"] > 0.5
    assert found["loudness_r"] == pytest.approx(found["aperture_r"], abs=0.05)
    assert abs(found["partial_r"]) < 0.15


def test_true_curves_go_before_landmarks():
    true = curve(FRAMES)
    fake, real = pair(true, curve(FRAMES, 5))
    real.curves = {"aperture": 7 * true + 1, "width": true}
    metric = Aperture()
    metric.update(fake, real)
    assert metric.report().values["aperture_r"] == pytest.approx(1, abs=1e-9)


def test_pooling_sees_levels_that_clip_means_do_not():
    metric = Aperture()
    for level in (0.0, 0.4):
        metric.update(*pair(level + 0.05 * curve(FRAMES, 1), level + 0.05 * curve(FRAMES, 2)))
    found = metric.report().values
    assert found["aperture_r_pooled"] > 0.95
    assert abs(found["aperture_r"]) < 0.4


def test_a_dead_mouth_counts_as_zero():
    found = values(np.full(FRAMES, 0.1), curve(FRAMES))
    assert found["aperture_r"] == found["aperture_r_pooled"] == found["partial_r_pooled"] == 0
    assert found["partial_r"] == 0


def test_clips_that_say_nothing_are_verdicts():
    metric = Aperture()
    metric.update(*pair(curve(FRAMES), np.full(FRAMES, 0.1)))
    metric.update(*pair(curve(20), curve(20)))
    metric.update(clip("alone", 2, landmarks=talking(curve(FRAMES))))
    still, short, alone = metric.report().verdicts
    assert still.reason == "its true mouth never moves"
    assert short.reason == "only 20 frames show a face on both sides; 25 are needed"
    assert alone.reason == "it has no ground truth to compare with"
    assert metric.report().values == {}


def test_frames_without_a_face_are_left_out_of_both_curves():
    true = curve(FRAMES)
    fake, real = pair(true, true)
    fake.landmarks[50:80] = np.nan
    real.landmarks[70:90] = np.nan
    metric = Aperture()
    metric.update(fake, real)
    assert metric.report().values["aperture_r"] == pytest.approx(1, abs=1e-9)
    assert metric.opening_n == FRAMES - 40


def test_loudness_is_the_level_around_each_frame():
    levels = np.array([0.1, 0.5, 0.2, 0.0])
    wave = wave_of(levels)[320:]
    assert loudness(wave, 3) == pytest.approx([np.sqrt(0.1**2 / 2), 0.5, 0.2], abs=1e-12)
    assert len(loudness(wave, 10)) == 10


def test_partial_correlation_equals_that_of_residuals():
    rows = np.random.default_rng(0).standard_normal((500, 4)) @ np.random.default_rng(1).standard_normal((4, 4))
    design = np.concatenate([rows[:, 2:], np.ones((500, 1))], 1)
    residuals = rows[:, :2] - design @ np.linalg.lstsq(design, rows[:, :2], rcond=None)[0]
    wanted = correlation(residuals[:, 0], residuals[:, 1])
    assert partial(torch.from_numpy(np.cov(rows.T))) == pytest.approx(wanted, abs=1e-9)
