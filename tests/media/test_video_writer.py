"""What is written plays anywhere, is exactly what was given, and is whole or not there."""

from __future__ import annotations

import os
import resource
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile
import torch

from hallo_lit.errors import UserError
from hallo_lit.media.audio import read_audio
from hallo_lit.media.video import Encoding, Sound, VideoWriter, probe, read_frames, read_metadata

QUICK = Encoding(preset="ultrafast")


def smooth(index: int, size: tuple[int, int] = (64, 96)) -> np.ndarray:
    """A colourful picture without hard edges that moves with index."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    waves = [np.sin(x / 20 + index / 10), np.cos(y / 25 + index / 7), np.sin((x + y) / 30)]
    return (127 + 120 * np.stack(waves, -1)).astype(np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-6)))


def write(path, count: int, size: tuple[int, int] = (64, 96), start: int = 0, **options) -> None:
    with VideoWriter(path, size, **options) as writer:
        for index in range(start, start + count):
            writer.write(smooth(index, size))


def test_pictures_survive(tmp_path):
    write(tmp_path / "a.mp4", 40)
    frames = list(read_frames(tmp_path / "a.mp4", None))
    assert len(frames) == 40
    assert min(psnr(frame, smooth(index)) for index, frame in enumerate(frames)) > 40


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 90)])
def test_plain_colours_survive(tmp_path, colour):
    with VideoWriter(tmp_path / "a.mp4", (64, 64)) as writer:
        writer.write(np.broadcast_to(np.array(colour, np.uint8), (64, 64, 3)))
    np.testing.assert_allclose(next(read_frames(tmp_path / "a.mp4")).mean((0, 1)), colour, atol=2.5)


def test_the_file_is_what_players_want(tmp_path, sweep):
    write(tmp_path / "a.mp4", 50, audio=torch.from_numpy(sweep(2, 16000)[:, 0]))
    data = (tmp_path / "a.mp4").read_bytes()
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "a.mp4")) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert (context.name, sound.codec_context.name, context.pix_fmt) == ("h264", "aac", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert video.frames == 50
        packets = [packet for packet in container.demux(video) if packet.pts is not None]
        assert {Fraction(packet.duration * video.time_base) for packet in packets} == {Fraction(1, 25)}
        assert sorted(packet.pts * video.time_base for packet in packets) == [Fraction(k, 25) for k in range(50)]
        assert video.duration * video.time_base == 2
        assert abs(float(sound.duration * sound.time_base) - 2) < 0.001
    assert not probe(tmp_path / "a.mp4").variable_rate


@pytest.mark.parametrize("fps", [24, 25, 30, 29.97, Fraction(30000, 1001), 60])
def test_rates_and_counts(tmp_path, fps):
    write(tmp_path / "a.mp4", 31, fps=fps, encoding=QUICK)
    info = probe(tmp_path / "a.mp4")
    assert info.frames == 31
    assert abs(info.fps - float(fps)) < 1e-4


@pytest.mark.parametrize("size", [(63, 95), (64, 95), (63, 96)])
def test_odd_sizes_are_padded_by_replication(tmp_path, size):
    write(tmp_path / "a.mp4", 3, size)
    frame = next(read_frames(tmp_path / "a.mp4"))
    assert frame.shape == (64, 96, 3)
    assert psnr(frame[: size[0], : size[1]], smooth(0, size)) > 40
    assert psnr(frame[-1], frame[size[0] - 1]) > 35
    assert psnr(frame[:, -1], frame[:, size[1] - 1]) > 35


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_sound_is_in_sync(tmp_path, sweep, rate, channels):
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
def test_sound_of_compressed_files(tmp_path, sweep, name):
    soundfile.write(tmp_path / name, sweep(1, 44100, 2), 44100)
    write(tmp_path / "a.mp4", 25, audio=str(tmp_path / name), encoding=QUICK)
    original, written = read_audio(tmp_path / name), read_audio(tmp_path / "a.mp4")
    assert np.corrcoef(original[1000:15000], written[1000:15000])[0, 1] > 0.98


@pytest.mark.parametrize("seconds", [0.3, 1.0, 5.0])
def test_sound_ends_with_the_pictures(tmp_path, sweep, seconds):
    wave = torch.from_numpy(sweep(seconds, 22050, 2).T.copy())
    write(tmp_path / "a.mp4", 25, audio=Sound(wave, 22050), encoding=QUICK)
    written = read_audio(tmp_path / "a.mp4")
    assert abs(len(written) - 16000) <= 16
    if seconds < 1:
        assert float(written[round(seconds * 16000) + 1600 :].abs().max()) < 0.01
    else:
        assert float(written[-3200:].abs().max()) > 0.2 or seconds == 1


def test_sound_from_a_video(tmp_path, sweep):
    write(tmp_path / "a.mp4", 25, audio=torch.from_numpy(sweep(1, 16000)[:, 0]), encoding=QUICK)
    write(tmp_path / "b.mp4", 25, audio=tmp_path / "a.mp4", encoding=QUICK)
    first, second = read_audio(tmp_path / "a.mp4"), read_audio(tmp_path / "b.mp4")
    assert np.corrcoef(first[1000:15000], second[1000:15000])[0, 1] > 0.98


def test_metadata(tmp_path):
    told = {"seed": 42, "name": 'ünï "quoted" 写真', "nested": {"list": [1, None, 2.5]}, "long": "x" * 20_000}
    write(tmp_path / "a.mp4", 3, metadata=told)
    assert read_metadata(tmp_path / "a.mp4") == told
    write(tmp_path / "b.mp4", 3)
    with pytest.raises(UserError, match="carries no description"):
        read_metadata(tmp_path / "b.mp4")


def test_wrong_frames(tmp_path):
    for frame in (np.zeros((10, 10, 3), np.uint8), np.zeros((64, 96, 3)), np.zeros((64, 96), np.uint8)):
        with pytest.raises(ValueError, match="frames are uint8"), VideoWriter(tmp_path / "a.mp4", (64, 96)) as writer:
            writer.write(frame)
    with pytest.raises(ValueError, match="no frames"), VideoWriter(tmp_path / "a.mp4", (64, 96)):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt(), UserError("x")])
def test_nothing_is_left_after_an_exception(tmp_path, sweep, error):
    wave = torch.from_numpy(sweep(5, 16000)[:, 0])
    (tmp_path / "a.mp4").write_text("the old one")
    with pytest.raises(type(error)), VideoWriter(tmp_path / "a.mp4", (64, 96), audio=wave) as writer:  # noqa: PT012
        for index in range(30):
            writer.write(smooth(index))
        raise error
    assert os.listdir(tmp_path) == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_text() == "the old one"


def test_bad_sound_leaves_nothing(tmp_path, sweep):
    (tmp_path / "in").mkdir()
    with pytest.raises(UserError, match="does not exist"):
        write(tmp_path / "a.mp4", 3, audio=tmp_path / "in" / "none.wav")
    soundfile.write(tmp_path / "in" / "a.wav", sweep(2, 16000), 16000)
    data = (tmp_path / "in" / "a.wav").read_bytes()
    (tmp_path / "in" / "a.wav").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="truncated"):
        write(tmp_path / "a.mp4", 50, audio=tmp_path / "in" / "a.wav", encoding=QUICK)
    assert os.listdir(tmp_path) == ["in"]


def test_impossible_targets(tmp_path):
    for path, pattern in (
        (tmp_path / "none" / "a.mp4", "does not exist"),
        (tmp_path / "a.avi", "ends in .mp4"),
        (tmp_path, "ends in .mp4"),
    ):
        with pytest.raises(UserError, match=pattern):
            write(path, 3)
    (tmp_path / "d.mp4").mkdir()
    with pytest.raises(UserError, match="is a directory"):
        write(tmp_path / "d.mp4", 3)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_no_room(tmp_path, share):
    """The system refuses writes beyond a limit, at the start, on the way, or while the index is moved to the front."""

    def noise(path) -> None:
        generator = np.random.default_rng(0)
        with VideoWriter(path, (64, 96), encoding=QUICK) as writer:
            for _ in range(40):
                writer.write(generator.integers(0, 255, (64, 96, 3), dtype=np.uint8))

    noise(tmp_path / "a.mp4")
    room = int((tmp_path / "a.mp4").stat().st_size * share)
    (tmp_path / "a.mp4").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(UserError, match="free some space") as caught:
            noise(tmp_path / "a.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(tmp_path / "a.mp4") in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_memory_does_not_grow_with_duration(tmp_path, sweep):
    wave = torch.from_numpy(sweep(20, 16000)[:, 0])
    frame = np.zeros((180, 320, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mp4", (180, 320), audio=wave, encoding=QUICK) as writer:
        for index in range(500):  # 86 MB of pixels
            if index == 100:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            frame[index % 180] = index % 256
            writer.write(frame)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 15_000  # kB


def test_unknown_settings():
    with pytest.raises(UserError, match="no preset 'warp'"):
        Encoding(preset="warp")
    with pytest.raises(UserError, match="outside 0"):
        Encoding(crf=60)
