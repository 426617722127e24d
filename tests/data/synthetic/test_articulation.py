from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.articulation import articulate, at_frames, frame_times
from hallo_lit.data.synthetic.controls import SPEECH_CONTROLS
from hallo_lit.data.synthetic.phonemes import Phone

OPEN, WIDTH, ROUND, PRESS, TUCK, TONGUE = range(6)


def spoken(*names: str, each: float = 0.12) -> tuple[list[Phone], float]:
    phones = [Phone(0.3 + each * k, 0.3 + each * (k + 1), name) for k, name in enumerate(names)]
    return phones, 0.6 + each * len(names)


def during(curves: np.ndarray, phone: Phone) -> np.ndarray:
    return curves[int(phone.start * 100) - 2 : int(phone.end * 100)]


@pytest.mark.parametrize("stop", ["p", "b", "m"])
def test_bilabials_close_between_open_vowels(stop):
    phones, seconds = spoken("a", stop, "a")
    curves = articulate(phones, seconds)
    assert during(curves, phones[1])[:, OPEN].min() < 0.06
    assert during(curves, phones[1])[:, PRESS].max() > 0.6
    assert during(curves, phones[0])[:, OPEN].max() > 0.5


@pytest.mark.parametrize(
    ("sound", "control", "low"), [("i:", WIDTH, 0.6), ("u:", ROUND, 0.6), ("f", TUCK, 0.6), ("T", TONGUE, 0.5)]
)
def test_sounds_shape_the_mouth(sound, control, low):
    phones, seconds = spoken("@", sound, "@", each=0.15)
    assert during(articulate(phones, seconds), phones[1])[:, control].max() > low


def test_silence_is_a_closed_neutral_mouth():
    assert np.abs(articulate([], 1.0)).max() < 1e-3
    phones, seconds = spoken("a")
    assert np.abs(articulate(phones, seconds + 1)[-20:]).max() < 0.02


def test_curves_are_bounded_and_smooth():
    phones, seconds = spoken("m", "a", "p", "u:", "f", "i:", "w", "A:", "b", each=0.08)
    curves = articulate(phones, seconds)
    assert curves.shape == (int(np.ceil(seconds * 100)) + 2, len(SPEECH_CONTROLS))
    assert (curves >= [0, -1, 0, 0, 0, 0]).all()
    assert (curves <= 1).all()
    assert np.abs(np.diff(curves, axis=0)).max() < 0.25


def test_lips_lead_the_sound():
    early = articulate([Phone(0.5, 0.7, "a")], 1.2)[:, OPEN]
    wide = np.flatnonzero(early > early.max() / 2)
    assert 0.56 < wide.mean() / 100 < 0.59  # the sound is centred on 0.6 s


def test_frames_are_sampled_at_their_centres():
    ramp = np.arange(101)[:, None] / 100.0
    np.testing.assert_allclose(frame_times(4, 25.0), [0.02, 0.06, 0.10, 0.14])
    np.testing.assert_allclose(at_frames(ramp, 4)[:, 0], frame_times(4, 25.0))
