"""PSync against recorded vectors, and what it says about signals whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.signal import lfilter

from hallo_lit.signals import lip_audio
from hallo_lit.signals.lip_audio import (
    Openings,
    audio_signal,
    correlations,
    grid,
    lags_ms,
    lip_audio_sync,
    mouth_signal,
    openings,
    speech_share,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "lip_audio" / "proxy.safetensors"


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    return load_file(GOLDEN)


@pytest.fixture(scope="module")
def mouth(golden) -> Openings:
    columns = {int(id): golden["landmarks"][:, i] for i, id in enumerate(golden["landmark_ids"])}
    corners = {index: np.zeros((150, 3)) for index in lip_audio.MOUTH_CORNERS}
    return openings(columns | corners)


def test_openings_match_the_vectors(golden, mouth):
    np.testing.assert_allclose(mouth.inner, golden["inner"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(mouth.outer, golden["outer"], rtol=0, atol=1e-12)


def test_signals_match_the_vectors(golden, mouth):
    times = grid(golden["frame_times"], len(golden["wav"]))
    np.testing.assert_allclose(times, golden["grid"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(mouth_signal(mouth, golden["frame_times"], times), golden["mouth"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(audio_signal(golden["wav"] / 32768, times), golden["audio"], rtol=0, atol=1e-9)


def test_correlations_match_the_vectors(golden, mouth):
    np.testing.assert_allclose(correlations(golden["mouth"], golden["audio"]), golden["r"], rtol=0, atol=1e-12)
    sync = lip_audio_sync(mouth, golden["frame_times"], golden["wav"] / 32768)
    assert sync is not None
    assert (sync.lag_ms, sync.seconds) == (20, pytest.approx(5.96))
    assert sync.r_near == pytest.approx(0.8482596509330774, abs=1e-9)
    assert sync.confidence == pytest.approx(0.8535171901890412, abs=1e-9)
    assert sync.r[lags_ms() == 0] == pytest.approx(0.7828002763486753, abs=1e-9)
    assert sync.in_sync()


def test_audio_half_a_second_late_is_found_and_not_in_sync(golden, mouth):
    late = np.roll(golden["wav"], 8000) / 32768
    sync = lip_audio_sync(mouth, golden["frame_times"], late)
    assert sync is not None
    assert sync.lag_ms == 520
    assert sync.r_near == pytest.approx(0.2643056941233364, abs=1e-9)
    assert not sync.in_sync()


def test_frames_without_a_face_are_bridged(golden, mouth):
    gaps = np.isin(np.arange(150), [0, 40, 41, 90, 149])
    patchy = Openings(*(np.where(gaps, np.nan, c) for c in (mouth.inner, mouth.outer, mouth.width)))
    sync = lip_audio_sync(patchy, golden["frame_times"], golden["wav"] / 32768)
    assert sync is not None
    assert sync.lag_ms == 20
    assert sync.r_near > 0.8


def test_nothing_to_measure_gives_none(golden, mouth):
    blind = Openings(*(np.full(150, np.nan) for _ in range(3)))
    assert lip_audio_sync(blind, golden["frame_times"], golden["wav"] / 32768) is None
    assert lip_audio_sync(mouth, golden["frame_times"], golden["wav"][:16000] / 32768) is None
    assert lip_audio_sync(mouth, golden["frame_times"], np.zeros(0)) is None


def test_loudness_alone_does_not_pass():
    """A mouth that follows the loudness of a hum (voicing below 350 Hz) is not in sync with it."""
    rng = np.random.default_rng(3)
    loud = np.clip(lfilter([1], [1, -0.9999], rng.standard_normal(160000)) / 40 + 0.5, 0, 1)
    hum = loud * np.sin(2 * np.pi * 150 * np.arange(160000) / 16000) * 0.5
    follow = loud[:: 16000 // 25][:250]
    sync = lip_audio_sync(Openings(follow, follow, follow), np.arange(250) / 25, hum)
    assert sync is not None
    assert not sync.in_sync()


def test_a_silent_recording_gives_zero_correlation(mouth, golden):
    sync = lip_audio_sync(mouth, golden["frame_times"], np.zeros(96000))
    assert sync is not None
    np.testing.assert_array_equal(sync.r, 0)


def test_the_scale_follows_the_head_in_depth():
    """A head that turns keeps its opening: the eye distance is taken in three dimensions."""
    landmarks = np.zeros((20, 478, 3))
    angle = np.linspace(0, 1, 20)
    landmarks[:, 263, 0], landmarks[:, 263, 2] = 100 * np.cos(angle), 100 * np.sin(angle)
    for upper, lower in lip_audio.INNER_LIPS:
        landmarks[:, lower, 1] = landmarks[:, upper, 1] + 30
    np.testing.assert_allclose(openings(landmarks).inner, 0.3, atol=1e-12)


@pytest.mark.parametrize(("wave", "low", "high"), [("silence", 0, 0), ("tone", 0.98, 1), ("half", 0.48, 0.55)])
def test_speech_share(wave, low, high):
    tone = 0.1 * np.sin(2 * np.pi * 500 * np.arange(32000) / 16000)
    given = {"silence": tone * 1e-4, "tone": tone, "half": tone * (np.arange(32000) < 16000)}[wave]
    assert low <= speech_share(given) <= high


def test_speech_share_of_nothing_is_zero():
    assert speech_share(np.zeros(0)) == 0.0
