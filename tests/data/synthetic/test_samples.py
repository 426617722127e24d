from __future__ import annotations

import wave

import numpy as np

from hallo_lit.data.synthetic.formant import say
from hallo_lit.data.synthetic.lexicon import sounds
from hallo_lit.data.synthetic.samples import TEXT, VOICE, write_wav


def test_the_sample_text_can_be_said_in_about_six_seconds():
    samples, _ = say(sounds(TEXT), VOICE, np.random.default_rng(11))
    assert 5 < len(samples) / 16000 < 8


def test_wav_files_are_sixteen_bit_mono(tmp_path):
    write_wav(tmp_path / "a.wav", np.array([0, 0.5, -1, 2], np.float32))
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [0, 16384, -32767, 32767]
