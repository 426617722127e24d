"""The sound of a video is the recording, in time with the pictures and as long as they are."""

from __future__ import annotations

import os

import av
import numpy as np
import pytest
import soundfile
import torch

from hallo_lit.errors import UserError
from hallo_lit.media.audio import read_audio
from hallo_lit.media.video import Encoding, Sound

QUICK = Encoding(preset="ultrafast")


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_sound_is_in_sync(tmp_path, sweep, rate, channels, write):
    soundfile.write(tmp_path / "a.wav", sweep(2, rate, channels), rate)
    write(tmp_path / "a.mp4", 50, audio=tmp_path / "a.wav", encoding=QUICK)
    original, written = read_audio(tmp_path / "a.wav"), read_audio(tmp_path / "a.mp4")
    assert abs(len(written) - 32000) <= 16
    lags = range(-640, 641, 4)
    scores = [np.corrcoef(original[8000:24000], written[8000 + lag : 24000 + lag])[0, 1] for lag in lags]
    assert abs(lags[int(np.argmax(scores))]) <= 4  # a quarter of a millisecond; a frame is 40
    assert max(scores) > 0.95
    assert float(written.abs().max()) < 1.05
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.audio[0].layout.name == ("mono" if channels == 1 else "stereo")


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg"])
def test_sound_of_compressed_files(tmp_path, sweep, name, write):
    soundfile.write(tmp_path / name, sweep(1, 44100, 2), 44100)
    write(tmp_path / "a.mp4", 25, audio=str(tmp_path / name), encoding=QUICK)
    original, written = read_audio(tmp_path / name), read_audio(tmp_path / "a.mp4")
    assert np.corrcoef(original[1000:15000], written[1000:15000])[0, 1] > 0.98


@pytest.mark.parametrize("seconds", [0.3, 1.0, 5.0])
def test_sound_ends_with_the_pictures(tmp_path, sweep, seconds, write):
    wave = torch.from_numpy(sweep(seconds, 22050, 2).T.copy())
    write(tmp_path / "a.mp4", 25, audio=Sound(wave, 22050), encoding=QUICK)
    written = read_audio(tmp_path / "a.mp4")
    assert abs(len(written) - 16000) <= 16
    if seconds < 1:
        assert float(written[round(seconds * 16000) + 1600 :].abs().max()) < 0.01
    else:
        assert float(written[-3200:].abs().max()) > 0.2 or seconds == 1


def test_sound_from_a_video(tmp_path, sweep, write):
    write(tmp_path / "a.mp4", 25, audio=torch.from_numpy(sweep(1, 16000)[:, 0]), encoding=QUICK)
    write(tmp_path / "b.mp4", 25, audio=tmp_path / "a.mp4", encoding=QUICK)
    first, second = read_audio(tmp_path / "a.mp4"), read_audio(tmp_path / "b.mp4")
    assert np.corrcoef(first[1000:15000], second[1000:15000])[0, 1] > 0.98


def test_bad_sound_leaves_nothing(tmp_path, sweep, write):
    (tmp_path / "in").mkdir()
    with pytest.raises(UserError, match="does not exist"):
        write(tmp_path / "a.mp4", 3, audio=tmp_path / "in" / "none.wav")
    soundfile.write(tmp_path / "in" / "a.wav", sweep(2, 16000), 16000)
    data = (tmp_path / "in" / "a.wav").read_bytes()
    (tmp_path / "in" / "a.wav").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="truncated"):
        write(tmp_path / "a.mp4", 50, audio=tmp_path / "in" / "a.wav", encoding=QUICK)
    assert os.listdir(tmp_path) == ["in"]
