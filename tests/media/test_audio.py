"""Any recording becomes the same mono wave, whole or in chunks."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import torch

from hallo_lit.media import audio


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000])
def test_rates(tmp_path, rate, sweep, correlation):
    soundfile.write(tmp_path / "a.wav", sweep(2, rate), rate)
    wave = audio.read_audio(tmp_path / "a.wav")
    assert len(wave) == 32000
    assert correlation(wave) > 0.999


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 8])
def test_channel_counts_are_averaged(tmp_path, channels, sweep):
    wave = sweep(1, 16000, channels) * np.linspace(0.2, 1, channels, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", wave, 16000, subtype="FLOAT")
    np.testing.assert_allclose(audio.read_audio(tmp_path / "a.wav").numpy(), wave.mean(1), atol=1e-6)


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.flac", "a.ogg"])
@pytest.mark.parametrize("seconds", [0.01, 0.37, 1.0, 100.0])
def test_streaming_gives_the_same_samples(tmp_path, name, seconds, sweep):
    soundfile.write(tmp_path / name, sweep(3.3, 44100, 2), 44100)
    chunks = list(audio.stream_audio(tmp_path / name, seconds=seconds))
    assert {len(chunk) for chunk in chunks[:-1]} <= {round(seconds * 16000)}
    assert torch.equal(torch.cat(chunks), audio.read_audio(tmp_path / name))


@pytest.mark.parametrize(("rate", "count"), [(44100, 330750), (48000, 360000), (22050, 7), (11025, 11025 * 3 + 1)])
def test_length_is_exact(tmp_path, rate, count, sweep):
    soundfile.write(tmp_path / "a.wav", sweep(count / rate, rate), rate)
    assert sum(len(chunk) for chunk in audio.stream_audio(tmp_path / "a.wav")) == round(count * 16000 / rate)


def test_frame_count():
    assert audio.frame_count(120000) == 188  # 7.5 s: 187.5 rounds to even, as Python's round does
    assert audio.frame_count(192000) == 300
    assert audio.frame_count(160125) == 250
    assert audio.frame_count(44100 * 60, 44100, 30) == 1800


def test_duration_and_peak(tmp_path, sweep):
    soundfile.write(tmp_path / "a.mp3", sweep(2, 44100), 44100)
    info = audio.check_audio(tmp_path / "a.mp3")
    assert abs(info.duration - 2) < 0.001
    assert abs(info.peak - 0.4) < 0.05
    assert audio.duration(tmp_path / "a.mp3") == info.duration


def test_memory_does_not_grow_with_duration(tmp_path, sweep, resident):
    soundfile.write(tmp_path / "a.flac", np.tile(sweep(10, 44100), (18, 1)), 44100)  # 3 minutes: 46 MB as floats
    sizes = [resident() for _ in audio.stream_audio(tmp_path / "a.flac")]
    assert len(sizes) == 18
    assert max(sizes) - sizes[1] < 12


def test_silent(tmp_path, refused):
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    refused(tmp_path / "a.wav", "is silent")
    assert len(audio.read_audio(tmp_path / "a.wav", allow_silence=True)) == 16000
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 3e-5, 16000), 16000, subtype="FLOAT")
    refused(tmp_path / "a.wav", "is silent")


def test_shorter_than_a_frame(tmp_path, sweep, refused):
    soundfile.write(tmp_path / "a.wav", sweep(0.039, 16000), 16000)
    refused(tmp_path / "a.wav", "less than one video frame")
    soundfile.write(tmp_path / "a.wav", sweep(0.04, 16000), 16000)
    assert len(audio.read_audio(tmp_path / "a.wav")) == 640
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    refused(tmp_path / "a.wav", "no sound|not a recording")
