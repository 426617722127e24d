from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hallo_lit.data.synthetic.formant import SAMPLE_RATE, VOWELS, Voice, draw_voice, say

LOW = Voice("low", 110.0, 1.0, 1.0, 0.02, 0.02)
HIGH = Voice("high", 220.0, 1.17, 1.0, 0.02, 0.02)


def piece(samples: np.ndarray, start: float, end: float) -> np.ndarray:
    return samples[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]


def test_a_seed_is_a_recording():
    words = [("m", "a"), ("s", "i:")]
    first, phones = say(words, LOW, np.random.default_rng(1))
    again, _ = say(words, LOW, np.random.default_rng(1))
    other, _ = say(words, LOW, np.random.default_rng(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)
    assert first.dtype == np.float32
    assert 0.5 < np.abs(first).max() <= 0.71
    assert [p.name for p in phones] == ["_", "m", "a", "s", "i:", "_"]
    assert phones[-1].end == pytest.approx(len(first) / SAMPLE_RATE, abs=1e-3)


def test_times_are_exact():
    samples, phones = say([("a", "t", "a"), (), ("a",)], LOW, np.random.default_rng(4))
    level = {k: np.sqrt((piece(samples, p.start + 0.02, p.end - 0.03) ** 2).mean()) for k, p in enumerate(phones)}
    names = [p.name for p in phones]
    loud = [level[k] for k, name in enumerate(names) if name == "a"]
    quiet = [level[k] for k, name in enumerate(names) if name in ("_", "t")]
    assert min(loud) > 8 * max(quiet)
    for a, b in pairwise(phones):
        assert a.end == pytest.approx(b.start)


@pytest.mark.parametrize("vowel", ["a", "i:", "u:"])
def test_vowels_have_their_first_formant(vowel):
    samples, phones = say([(vowel,)], Voice("slow", 100.0, 1.0, 0.3, 0.01, 0.0), np.random.default_rng(0))
    sound = np.diff(piece(samples, phones[1].start + 0.05, phones[1].end - 0.05), n=2)  # undoes the tilt of the source
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 8192)) ** 2
    hertz = np.fft.rfftfreq(8192, 1 / SAMPLE_RATE)
    smooth = np.convolve(power, np.ones(100) / 100, "same")
    band = (hertz > 150) & (hertz < 1000)
    assert hertz[band][smooth[band].argmax()] == pytest.approx(VOWELS[vowel][0], abs=160)


@pytest.mark.parametrize("voice", [LOW, HIGH])
def test_voices_have_their_pitch(voice):
    samples, phones = say(
        [("a",)], Voice(voice.name, voice.pitch, voice.tract, 0.3, 0.01, 0.0), np.random.default_rng(0)
    )
    sound = piece(samples, phones[1].start + 0.05, phones[1].end - 0.05)
    echo = np.correlate(sound, sound, "full")[len(sound) - 1 :]
    lag = 40 + echo[40:260].argmax()
    assert SAMPLE_RATE / lag == pytest.approx(voice.pitch, rel=0.06)


def test_hissing_is_higher_than_humming():
    samples, phones = say([("s", "a", "m", "a")], LOW, np.random.default_rng(5))

    def centroid(k: int) -> float:
        power = np.abs(np.fft.rfft(piece(samples, phones[k].start, phones[k].end))) ** 2
        return float((power * np.linspace(0, 8000, len(power))).sum() / power.sum())

    assert centroid(1) > 4000
    assert centroid(3) < 1200


def test_drawn_voices_differ_by_sex():
    rng = np.random.default_rng(0)
    women = [draw_voice(rng, True, "f") for _ in range(20)]
    men = [draw_voice(rng, False, "m") for _ in range(20)]
    assert min(v.pitch for v in women) > max(v.pitch for v in men)
    assert min(v.tract for v in women) > max(v.tract for v in men) - 0.02
