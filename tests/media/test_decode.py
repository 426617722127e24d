"""Sound of every format comes out in time; whatever is none gets a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import torch

from hallo_lit.media import audio


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "MS_ADPCM"])
def test_wav_encodings(tmp_path, subtype, sweep, correlation):
    soundfile.write(tmp_path / "a.wav", sweep(2, 22050, 2), 22050, subtype=subtype)
    wave = audio.read_audio(tmp_path / "a.wav")
    assert wave.dtype == torch.float32
    assert abs(len(wave) - 32000) <= (0 if subtype != "MS_ADPCM" else 2000)  # ADPCM comes in whole blocks
    assert correlation(wave) > 0.995


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.flac", None), ("a.ogg", "VORBIS"), ("b.ogg", "OPUS"), ("a.mp3", None), ("a.aiff", None)]
)
def test_compressed_formats(tmp_path, name, subtype, sweep, correlation):
    soundfile.write(tmp_path / name, sweep(2, 48000, 2), 48000, subtype=subtype)
    wave = audio.read_audio(tmp_path / name)
    assert abs(len(wave) - 32000) <= 160
    assert correlation(wave) > 0.99


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [("a.m4a", "aac", "mp4"), ("a.mka", "aac", "matroska"), ("a.webm", "libopus", "webm"), ("a.aac", "aac", "adts")],
)
def test_formats_of_phones_and_browsers(tmp_path, name, codec, container, sweep, encode_audio, correlation):
    path = encode_audio(tmp_path / name, sweep(2, 48000, 2), 48000, codec, container)
    wave = audio.read_audio(path)
    if name == "a.aac":  # carries no note of the encoder's delay of 1024 samples
        wave = wave[1024 // 3 :]
    assert abs(len(wave) - 32000) <= {"a.m4a": 0}.get(name, 700)
    assert correlation(wave) > 0.97


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_sound_track_is_on_the_clock_of_the_picture(tmp_path, make_video, start, sweep, counting_frames, correlation):
    path = make_video(tmp_path / "a.mp4", counting_frames(75), wave=sweep(2, 48000), audio_start=start)
    wave = audio.read_audio(path)
    assert abs(len(wave) / 16000 - 2 - start) < 0.03
    first = round(start * 16000)
    assert not first or float(wave[: first - 400].abs().max()) < 1e-3
    assert max(correlation(wave[max(0, first + lag) :]) for lag in range(-24, 25)) > 0.95  # MP4 rounds to 1 ms


def test_a_broken_time_stamp_does_not_become_hours_of_silence(tmp_path, make_video, sweep, counting_frames, refused):
    path = make_video(tmp_path / "a.mkv", counting_frames(5), wave=sweep(1, 48000), audio_start=5000)
    refused(path, "5000 s of it are missing")


@pytest.mark.parametrize("extension", ["wav", "mp3", "m4a", "txt"])
@pytest.mark.parametrize("content", [b"not sound\n" * 100, np.random.default_rng(0).bytes(50_000), bytes(10_000)])
def test_not_sound(tmp_path, extension, content, refused):
    path = tmp_path / f"a.{extension}"
    path.write_bytes(content)
    refused(path, "not a recording|no sound|damaged")


def test_picture_and_mute_video(tmp_path, make_video, counting_frames, refused):
    refused(make_video(tmp_path / "mute.mp4", counting_frames(10)), "no sound track")
    (tmp_path / "a.wav").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    refused(tmp_path / "a.wav", "not a recording|no sound")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers(tmp_path, value, subtype, sweep, refused):
    wave = sweep(1, 16000, 2)
    wave[12000, 1] = value
    soundfile.write(tmp_path / "a.wav", wave, 16000, subtype=subtype)
    refused(tmp_path / "a.wav", r"not numbers .* at 0\.75 s")


def test_floats_on_the_scale_of_integers(tmp_path, sweep, refused):
    soundfile.write(tmp_path / "a.wav", sweep(1, 16000) * 32767, 16000, subtype="FLOAT")
    refused(tmp_path / "a.wav", "1.0 is full scale")
    soundfile.write(tmp_path / "a.wav", sweep(1, 16000) * 4, 16000, subtype="FLOAT")  # too loud, but no mistake
    assert audio.check_audio(tmp_path / "a.wav").peak > 1
