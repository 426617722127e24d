"""What is written plays anywhere, is exactly what was given, and is whole or not there."""

from __future__ import annotations

import os
import resource
from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.media.video import Encoding, VideoWriter, probe

QUICK = Encoding(preset="ultrafast")


def test_the_file_is_what_players_want(tmp_path, sweep, write):
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
def test_rates_and_counts(tmp_path, fps, write):
    write(tmp_path / "a.mp4", 31, fps=fps, encoding=QUICK)
    info = probe(tmp_path / "a.mp4")
    assert info.frames == 31
    assert abs(info.fps - float(fps)) < 1e-4


def test_wrong_frames(tmp_path, write):
    for frame in (np.zeros((10, 10, 3), np.uint8), np.zeros((64, 96, 3)), np.zeros((64, 96), np.uint8)):
        with pytest.raises(ValueError, match="frames are uint8"), VideoWriter(tmp_path / "a.mp4", (64, 96)) as writer:
            writer.write(frame)
    with pytest.raises(ValueError, match="no frames"), VideoWriter(tmp_path / "a.mp4", (64, 96)):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt(), UserError("x")])
def test_nothing_is_left_after_an_exception(tmp_path, sweep, error, write, smooth):
    wave = torch.from_numpy(sweep(5, 16000)[:, 0])
    (tmp_path / "a.mp4").write_text("the old one")
    with pytest.raises(type(error)), VideoWriter(tmp_path / "a.mp4", (64, 96), audio=wave) as writer:  # noqa: PT012
        for index in range(30):
            writer.write(smooth(index))
        raise error
    assert os.listdir(tmp_path) == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_text() == "the old one"


def test_impossible_targets(tmp_path, write):
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
def test_no_room(tmp_path, share, write):
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


def test_memory_does_not_grow_with_duration(tmp_path, sweep, resident):
    wave = torch.from_numpy(sweep(20, 16000)[:, 0])
    frame, sizes = np.zeros((180, 320, 3), np.uint8), []
    with VideoWriter(tmp_path / "a.mp4", (180, 320), audio=wave, encoding=QUICK) as writer:
        for index in range(500):  # 86 MB of pixels
            frame[index % 180] = index % 256
            writer.write(frame)
            sizes.append(resident())
    assert max(sizes) - sizes[100] < 15


def test_unknown_settings():
    with pytest.raises(UserError, match="no preset 'warp'"):
        Encoding(preset="warp")
    with pytest.raises(UserError, match="outside 0"):
        Encoding(crf=60)
