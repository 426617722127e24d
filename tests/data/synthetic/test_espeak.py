from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hallo_lit.data.synthetic import espeak
from hallo_lit.errors import UserError


def test_without_the_program_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(espeak, "find_library", lambda name: None)
    assert not espeak.available()
    with pytest.raises(UserError, match="apt install espeak-ng"):
        espeak.say_text("papa", espeak.TextVoice("en-us", 150, 50, 50))


def test_resampling_keeps_pitch_and_level():
    clock = np.arange(22050) / 22050
    tone = (0.5 * np.sin(2 * np.pi * 440 * clock)).astype(np.float32)
    out = espeak._resample(tone, 22050)
    assert len(out) == 16000
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(out[1000:-1000], expected[1000:-1000], atol=0.01)


@pytest.mark.skipif(not espeak.available(), reason="espeak-ng is not installed")
def test_real_text_with_phoneme_times():
    samples, phones = espeak.say_text("Papa saw a boat", espeak.TextVoice("en-us+f2", 160, 50, 50))
    assert len(samples) > 12000
    names = [p.name.strip("'") for p in phones]
    assert names.count("p") == 2
    assert phones[0].start >= 0
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(phones))
    with pytest.raises(UserError, match="voice"):
        espeak.say_text("papa", espeak.TextVoice("no-such-voice", 160, 50, 50))
