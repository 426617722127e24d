"""Any recording becomes the same mono wave, whole or in chunks; whatever is none gets a sentence."""

from __future__ import annotations

import resource
import struct

import numpy as np
import pytest
import soundfile
import torch

from hallo_lit.errors import UserError
from hallo_lit.media import audio


@pytest.fixture(scope="module")
def correlation(sweep):
    """With the ideal chirp of 2 s at 16 kHz, at no shift: a delay of half a millisecond would ruin it."""
    ideal = sweep(2, 16000)[:, 0]

    def measure(wave: torch.Tensor) -> float:
        n = min(len(wave), len(ideal))
        return float(np.corrcoef(wave.numpy()[:n], ideal[:n])[0, 1])

    return measure


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "MS_ADPCM"])
def test_wav_encodings(tmp_path, subtype, sweep, correlation):
    soundfile.write(tmp_path / "a.wav", sweep(2, 22050, 2), 22050, subtype=subtype)
    wave = audio.read_audio(tmp_path / "a.wav")
    assert wave.dtype == torch.float32
    assert abs(len(wave) - 32000) <= (0 if subtype != "MS_ADPCM" else 2000)  # ADPCM comes in whole blocks
    assert correlation(wave) > 0.995


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


def test_names_are_never_read_as_addresses(tmp_path, sweep):
    for name in ('Take 1: "final", really.wav', "ünï 音.wav", "http:x.wav", "12:30.wav", "100%d.wav"):
        soundfile.write(tmp_path / name, sweep(0.5, 16000), 16000)
        assert len(audio.read_audio(tmp_path / name)) == 8000


def test_relative_names(tmp_path, monkeypatch, sweep):
    monkeypatch.chdir(tmp_path)
    soundfile.write("12:30.wav", sweep(0.5, 16000), 16000)
    assert len(audio.read_audio("12:30.wav")) == 8000


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_sound_track_is_on_the_clock_of_the_picture(tmp_path, make_video, start, sweep, counting_frames, correlation):
    path = make_video(tmp_path / "a.mp4", counting_frames(75), wave=sweep(2, 48000), audio_start=start)
    wave = audio.read_audio(path)
    assert abs(len(wave) / 16000 - 2 - start) < 0.03
    first = round(start * 16000)
    assert not first or float(wave[: first - 400].abs().max()) < 1e-3
    assert max(correlation(wave[max(0, first + lag) :]) for lag in range(-24, 25)) > 0.95  # MP4 rounds to 1 ms


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


def test_memory_does_not_grow_with_duration(tmp_path, sweep):
    soundfile.write(tmp_path / "a.flac", np.tile(sweep(10, 44100), (18, 1)), 44100)  # 3 minutes: 46 MB as floats
    next(audio.stream_audio(tmp_path / "a.flac"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert audio.inspect_audio(tmp_path / "a.flac").samples == 180 * 16000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 12_000  # kB


def refused(path, pattern: str) -> None:
    for read in (audio.read_audio, audio.check_audio):
        with pytest.raises(UserError, match=pattern) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert ";" in str(caught.value)


def test_missing_directory_empty(tmp_path):
    refused(tmp_path / "none.wav", "does not exist")
    refused(tmp_path, "is a directory")
    (tmp_path / "a.wav").touch()
    refused(tmp_path / "a.wav", "is empty")


@pytest.mark.parametrize("extension", ["wav", "mp3", "m4a", "txt"])
@pytest.mark.parametrize("content", [b"not sound\n" * 100, np.random.default_rng(0).bytes(50_000), bytes(10_000)])
def test_not_sound(tmp_path, extension, content):
    path = tmp_path / f"a.{extension}"
    path.write_bytes(content)
    refused(path, "not a recording|no sound|damaged")


def test_picture_and_mute_video(tmp_path, make_video, counting_frames):
    refused(make_video(tmp_path / "mute.mp4", counting_frames(10)), "no sound track")
    (tmp_path / "a.wav").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    refused(tmp_path / "a.wav", "not a recording|no sound")


def test_playlists_do_not_lead_elsewhere(tmp_path, sweep):
    soundfile.write(tmp_path / "real.wav", sweep(1, 16000), 16000)
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost:9/x.ts\n#EXT-X-ENDLIST\n")
    refused(tmp_path / "a.m3u8", "not a recording|no sound")


@pytest.mark.parametrize("name", ["a.wav", "rf64.wav", "a.flac", "a.mp3", "a.aiff", "v.ogg", "o.ogg"])
@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_truncated(tmp_path, name, kept, sweep):
    options = {"rf64.wav": {"format": "RF64"}, "o.ogg": {"subtype": "OPUS"}}.get(name, {})
    soundfile.write(tmp_path / name, np.tile(sweep(5, 48000, 2), (4, 1)), 48000, **options)
    whole = (tmp_path / name).read_bytes()
    audio.read_audio(tmp_path / name)
    (tmp_path / name).write_bytes(whole[: int(len(whole) * kept)])
    refused(tmp_path / name, "truncated|beginning or index")


@pytest.mark.parametrize(("container", "name"), [("mp4", "a.m4a"), ("matroska", "a.mka")])
def test_truncated_containers(tmp_path, container, name, sweep, encode_audio):
    path = encode_audio(tmp_path / name, sweep(5, 48000), 48000, "aac", container)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, "truncated|beginning or index")


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_wav_written_to_a_pipe_is_not_truncated(tmp_path, length, sweep):
    soundfile.write(tmp_path / "a.wav", sweep(1, 16000), 16000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", length)
    (tmp_path / "a.wav").write_bytes(data)
    assert len(audio.read_audio(tmp_path / "a.wav")) == 16000


def test_mp3_without_a_frame_count_is_not_truncated(tmp_path, sweep):
    soundfile.write(tmp_path / "a.mp3", sweep(5, 44100), 44100)
    data = (tmp_path / "a.mp3").read_bytes().replace(b"Xing", b"\0\0\0\0").replace(b"Info", b"\0\0\0\0")
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    assert abs(audio.duration(tmp_path / "a.mp3") - 2.5) < 0.3


def test_silent(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    refused(tmp_path / "a.wav", "is silent")
    assert len(audio.read_audio(tmp_path / "a.wav", allow_silence=True)) == 16000
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 3e-5, 16000), 16000, subtype="FLOAT")
    refused(tmp_path / "a.wav", "is silent")


def test_shorter_than_a_frame(tmp_path, sweep):
    soundfile.write(tmp_path / "a.wav", sweep(0.039, 16000), 16000)
    refused(tmp_path / "a.wav", "less than one video frame")
    soundfile.write(tmp_path / "a.wav", sweep(0.04, 16000), 16000)
    assert len(audio.read_audio(tmp_path / "a.wav")) == 640
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    refused(tmp_path / "a.wav", "no sound|not a recording")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers(tmp_path, value, subtype, sweep):
    wave = sweep(1, 16000, 2)
    wave[12000, 1] = value
    soundfile.write(tmp_path / "a.wav", wave, 16000, subtype=subtype)
    refused(tmp_path / "a.wav", r"not numbers .* at 0\.75 s")


def test_floats_on_the_scale_of_integers(tmp_path, sweep):
    soundfile.write(tmp_path / "a.wav", sweep(1, 16000) * 32767, 16000, subtype="FLOAT")
    refused(tmp_path / "a.wav", "1.0 is full scale")
    soundfile.write(tmp_path / "a.wav", sweep(1, 16000) * 4, 16000, subtype="FLOAT")  # too loud, but no mistake
    assert audio.check_audio(tmp_path / "a.wav").peak > 1
