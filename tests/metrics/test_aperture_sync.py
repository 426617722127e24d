from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from hallo_lit.metrics.aperture_sync import ApertureSync
from hallo_lit.metrics.video import RATE, Video
from hallo_lit.signals import lip_audio
from metrics.footage import clip, curve, talking

FRAMES = 250


def speech(opening: np.ndarray, seed: int = 0) -> np.ndarray:
    """Noise whose energy between 1.2 and 3.5 kHz follows the mouth, with voicing that does the opposite."""
    rng = np.random.default_rng(seed)
    times = np.arange(len(opening) * 640) / RATE
    envelope = np.interp(times, np.arange(len(opening)) / 25, opening / opening.max())
    high = sosfilt(butter(4, (1400, 3300), "bandpass", fs=RATE, output="sos"), rng.standard_normal(len(times)))
    low = sosfilt(butter(4, (100, 300), "bandpass", fs=RATE, output="sos"), rng.standard_normal(len(times)))
    return 0.3 * np.exp(3 * (envelope - 1)) * high + 0.3 * np.exp(-3 * envelope) * low


def video(opening: np.ndarray, wave: np.ndarray | None) -> Video:
    return clip("a", 2, landmarks=talking(opening), wave=wave)


def test_matching_sound_is_in_sync_and_shifted_sound_has_the_shift_as_lag():
    opening = curve(FRAMES)
    wave = speech(opening)
    metric = ApertureSync(speech=0)
    metric.update(video(opening, wave))
    matched = metric.report().values
    assert matched["psync_r"] > 0.4
    assert abs(matched["psync_lag_ms"]) <= 100
    assert matched["psync_in_sync"] == 1
    metric.reset()
    metric.update(video(opening, np.concatenate([np.zeros(round(0.4 * RATE)), wave])))
    late = metric.report().values
    assert late["psync_lag_ms"] == pytest.approx(matched["psync_lag_ms"] + 400, abs=40)
    assert late["psync_in_sync"] == 0


def test_numbers_are_those_of_the_signal_module():
    opening = curve(FRAMES)
    wave = speech(opening)
    metric = ApertureSync(speech=0)
    metric.update(video(opening, wave))
    wanted = lip_audio.lip_audio_sync(lip_audio.openings(talking(opening)), np.arange(FRAMES) / 25, wave)
    assert wanted is not None
    found = metric.report().values
    assert (found["psync_r"], found["psync_c"]) == (wanted.r_near, wanted.confidence)


def test_a_dead_mouth_counts_as_zero_instead_of_being_left_out():
    metric = ApertureSync(speech=0)
    metric.update(video(np.full(FRAMES, 0.1), speech(curve(FRAMES))))
    report = metric.report()
    assert report.counted == 1
    assert report.values["psync_r"] == report.values["psync_in_sync"] == 0


def test_the_driving_sound_serves_a_silent_file():
    opening = curve(FRAMES)
    metric = ApertureSync(speech=0)
    metric.update(video(opening, None), video(opening, speech(opening)))
    assert metric.report().values["psync_in_sync"] == 1


def test_silence_short_clips_and_missing_sound_are_verdicts():
    opening = curve(FRAMES)
    metric = ApertureSync()
    metric.update(video(opening, np.full(FRAMES * 640, 1e-6)))
    metric.update(video(opening[:100], speech(opening[:100])))
    metric.update(video(opening, None))
    reasons = [verdict.reason for verdict in metric.report().verdicts]
    assert reasons[0] == "only 0% of its sound may be speech"
    assert reasons[1].endswith("6 s are needed")
    assert reasons[2] == "it has no sound"
