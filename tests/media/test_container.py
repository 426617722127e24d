"""Only local files are opened, whatever their names; a file that is shorter than it says is told."""

from __future__ import annotations

import struct

import av
import av.logging
import numpy as np
import pytest
import soundfile

from hallo_lit.media import audio
from hallo_lit.media.container import end_is_missing


def test_names_are_never_read_as_addresses(tmp_path, sweep):
    for name in ('Take 1: "final", really.wav', "ünï 音.wav", "http:x.wav", "12:30.wav", "100%d.wav"):
        soundfile.write(tmp_path / name, sweep(0.5, 16000), 16000)
        assert len(audio.read_audio(tmp_path / name)) == 8000


def test_relative_names(tmp_path, monkeypatch, sweep):
    monkeypatch.chdir(tmp_path)
    soundfile.write("12:30.wav", sweep(0.5, 16000), 16000)
    assert len(audio.read_audio("12:30.wav")) == 8000


def test_missing_directory_empty(tmp_path, refused):
    refused(tmp_path / "none.wav", "does not exist")
    refused(tmp_path, "is a directory")
    (tmp_path / "a.wav").touch()
    refused(tmp_path / "a.wav", "is empty")


def test_playlists_do_not_lead_elsewhere(tmp_path, sweep, refused):
    soundfile.write(tmp_path / "real.wav", sweep(1, 16000), 16000)
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost:9/x.ts\n#EXT-X-ENDLIST\n")
    refused(tmp_path / "a.m3u8", "not a recording|no sound")


@pytest.mark.parametrize("name", ["a.wav", "rf64.wav", "a.flac", "a.mp3", "a.aiff", "v.ogg", "o.ogg"])
@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_truncated(tmp_path, name, kept, sweep, refused):
    options = {"rf64.wav": {"format": "RF64"}, "o.ogg": {"subtype": "OPUS"}}.get(name, {})
    soundfile.write(tmp_path / name, np.tile(sweep(5, 48000, 2), (4, 1)), 48000, **options)
    whole = (tmp_path / name).read_bytes()
    audio.read_audio(tmp_path / name)
    (tmp_path / name).write_bytes(whole[: int(len(whole) * kept)])
    refused(tmp_path / name, "truncated|beginning or index")


@pytest.mark.parametrize(("container", "name"), [("mp4", "a.m4a"), ("matroska", "a.mka")])
def test_truncated_containers(tmp_path, container, name, sweep, encode_audio, refused):
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


@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_a_video_with_its_end_missing(tmp_path, kept, make_video, counting_frames, sweep, refused):
    whole = make_video(tmp_path / "a.mkv", counting_frames(50), wave=sweep(2, 48000))
    assert abs(audio.duration(whole) - 2) < 0.1
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[: int(whole.stat().st_size * kept)])
    refused(tmp_path / "cut.mkv", "truncated|damaged")


def test_an_avi_file_promises_its_size(tmp_path):
    (tmp_path / "a.avi").write_bytes(b"RIFF" + struct.pack("<I", 100) + b"AVI " + bytes(96))
    assert not end_is_missing(tmp_path / "a.avi", "avi")
    (tmp_path / "a.avi").write_bytes(b"RIFF" + struct.pack("<I", 100) + b"AVI " + bytes(95))
    assert end_is_missing(tmp_path / "a.avi", "avi")


def test_a_live_recording_promises_no_end(tmp_path, encode_audio, sweep):
    data = encode_audio(tmp_path / "a.mkv", sweep(2, 48000), 48000, "flac", "matroska").read_bytes()
    at = data.index(b"\x18\x53\x80\x67") + 4
    (tmp_path / "live.mkv").write_bytes(data[:at] + b"\x01" + b"\xff" * 7 + data[at + 8 :])
    assert abs(audio.duration(tmp_path / "live.mkv") - 2) < 0.1


def test_messages_of_the_decoder_stay_off_the_terminal(tmp_path, capfd, refused):
    av.logging.set_level(av.logging.ERROR)  # as torchvision does when it is imported
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x18ftypM4A \0\0\0\0isom" + bytes(4000))
    refused(tmp_path / "a.m4a", "not a recording")
    assert capfd.readouterr().err == ""
    assert av.logging.get_level() is None
