"""Frames come out upright, at the right times, the right ones."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile

from hallo_lit.errors import UserError
from hallo_lit.media.video import VideoWriter, probe, read_clip, read_frames

UNEVEN = [0.0, 0.03, 0.09, 0.1, 0.25, 0.26, 0.31, 0.5, 0.52, 0.9, 0.93, 1.0]


def nearest(times: list[float], duration: float, fps: float) -> list[int]:
    """What `read_frames` promises, by brute force; the earlier frame in a tie."""
    stamps = np.array(times) - times[0]
    return [int(np.abs(stamps - float(k / fps)).round(9).argmin()) for k in range(round(duration * fps))]


@pytest.mark.parametrize("fps", [12.5, 24, 25, 30, 50, 30000 / 1001])
def test_constant_rates_become_25(tmp_path, make_video, counting_frames, read_count, fps):
    path = make_video(tmp_path / "a.mp4", counting_frames(60), fps=fps)
    info = probe(path)
    assert (info.frames, info.variable_rate, info.codec) == (60, False, "h264")
    assert abs(info.fps - fps) < 1e-3
    assert abs(info.duration - 60 / fps) < 1e-3
    counts = [read_count(frame) for frame in read_frames(path)]
    assert counts == nearest([i / fps for i in range(60)], 60 / fps, 25)
    assert [read_count(frame) for frame in read_frames(path, fps=None)] == list(range(60))


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx")])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_variable_rates_become_even(tmp_path, make_video, counting_frames, read_count, name, codec, shift):
    times = [time + shift for time in UNEVEN]
    path = make_video(tmp_path / name, counting_frames(len(times)), times=times, codec=codec)
    info = probe(path)
    assert info.variable_rate
    assert info.frames == len(times)
    for fps in (25, 10, 60, Fraction(24000, 1001)):
        counts = [read_count(frame) for frame in read_frames(path, fps)]
        expected = nearest(times, 1.0, fps)
        assert counts[: len(expected)] == expected
        assert set(counts[len(expected) :]) <= {len(times) - 1}  # the last frame lasts as long as the file says
        assert len(counts) <= round(1.1 * fps) + 1


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.mov", "libx264"), ("a.webm", "libvpx-vp9")])
def test_other_containers(tmp_path, make_video, counting_frames, read_count, name, codec):
    path = make_video(tmp_path / name, counting_frames(30), codec=codec)
    assert [read_count(frame) for frame in read_frames(path)] == list(range(30))
    assert not probe(path).variable_rate


def test_names_with_anything_in_them(tmp_path, make_video, counting_frames):
    path = make_video(tmp_path / "a.mp4", counting_frames(5)).rename(tmp_path / '12:30, "ünï" 100%d.mp4')
    assert probe(path).frames == 5


@pytest.mark.parametrize("angle", [90, 180, -90])
def test_rotation_tags_are_applied(tmp_path, make_video, angle):
    frames = np.zeros((5, 48, 64, 3), np.uint8)
    frames[:, :16, :16] = 255  # marks the top left corner as stored
    path = make_video(tmp_path / "a.mp4", frames, rotation=angle)
    with av.open(str(path)) as container:
        turned = next(container.decode(video=0)).rotation  # counter-clockwise, by definition of FFmpeg
    assert abs(turned) == abs(angle)
    expected = np.rot90(frames[0], turned // 90)
    info, frame = probe(path), next(read_frames(path))
    assert (info.height, info.width) == frame.shape[:2] == expected.shape[:2]
    assert info.rotation == turned % 360
    assert np.abs(frame.astype(int) - expected).mean() < 3
    np.testing.assert_array_equal(read_clip(path, 0, 1)[0], frame)


def test_size_is_of_the_upright_frame(tmp_path, make_video, counting_frames):
    path = make_video(tmp_path / "a.mp4", counting_frames(5), rotation=90)
    assert next(read_frames(path, size=(40, 24))).shape == (40, 24, 3)


def test_clips_are_exact_wherever_they_start(tmp_path, make_video, counting_frames, read_count):
    path = make_video(tmp_path / "a.mp4", counting_frames(100))
    whole = list(read_frames(path, None))
    for start, count in ((0, 1), (0, 16), (11, 2), (12, 14), (13, 1), (57, 30), (99, 1), (0, 100)):
        clip = read_clip(path, start, count)
        np.testing.assert_array_equal(clip, np.stack(whole[start : start + count]))
        assert [read_count(frame) for frame in clip] == list(range(start, start + count))
    for start, count in ((-1, 5), (95, 6), (3, 0)):
        with pytest.raises(UserError, match="holds 100 frames"):
            read_clip(path, start, count)


def test_a_replaced_file_is_read_anew(tmp_path, make_video, counting_frames):
    assert probe(make_video(tmp_path / "a.mp4", counting_frames(5))).frames == 5
    assert probe(make_video(tmp_path / "a.mp4", counting_frames(9))).frames == 9


def test_a_broken_time_stamp_does_not_become_hours_of_video(tmp_path, make_video, counting_frames):
    path = make_video(tmp_path / "a.mkv", counting_frames(3), times=[0, 0.04, 4000])
    with pytest.raises(UserError, match=r"no picture follows the one at 0\.04 s for 4000 s"):
        list(read_frames(path))
    assert len(list(read_frames(path, None))) == 3


def test_frames_belong_to_the_caller(tmp_path, make_video, counting_frames, read_count):
    counts = []
    for frame in read_frames(make_video(tmp_path / "a.mp4", counting_frames(6), fps=5)):
        counts.append(read_count(frame))
        frame[:] = 0
    assert counts == nearest([i / 5 for i in range(6)], 6 / 5, 25)


def test_memory_does_not_grow_with_duration(tmp_path, resident):
    frame = np.zeros((360, 640, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mp4", (360, 640)) as writer:
        for index in range(250):  # 170 MB of pixels
            frame[index % 360] = index
            writer.write(frame)
    sizes = [resident() for _ in read_frames(tmp_path / "a.mp4")]
    assert len(sizes) == 250
    assert max(sizes) - sizes[30] < 30


def refused(path, pattern: str) -> None:
    for read in (probe, lambda p: list(read_frames(p)), lambda p: read_clip(p, 0, 1)):
        with pytest.raises(UserError, match=pattern) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_is_no_video(tmp_path):
    refused(tmp_path / "none.mp4", "does not exist")
    refused(tmp_path, "is a directory")
    (tmp_path / "a.mp4").touch()
    refused(tmp_path / "a.mp4", "is empty")
    (tmp_path / "a.mp4").write_bytes(b"no video at all\n" * 100)
    refused(tmp_path / "a.mp4", "not a video|no pictures")
    soundfile.write(tmp_path / "a.wav", np.zeros(1000), 16000)
    refused(tmp_path / "a.wav", "has no pictures")


def test_truncated(tmp_path, make_video, counting_frames):
    index_last = make_video(tmp_path / "a.mp4", counting_frames(100))
    index_last.write_bytes(index_last.read_bytes()[: index_last.stat().st_size // 2])
    refused(index_last, "index is missing")
    with VideoWriter(tmp_path / "b.mp4", (48, 64)) as writer:
        for frame in np.random.default_rng(0).integers(0, 255, (50, 48, 64, 3), dtype=np.uint8):
            writer.write(frame)
    data = (tmp_path / "b.mp4").read_bytes()
    (tmp_path / "b.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=r"truncated: 2\.00 s are promised"):
        probe(tmp_path / "b.mp4")


ONE = 1 << 16
MATRICES = {  # a b c d of the header: a stored pixel (x, y) is shown at (a x + c y, b x + d y)
    "as it is": ((1, 0, 0, 1), lambda x: x),
    "quarter": ((0, -1, 1, 0), lambda x: np.rot90(x, 1)),
    "half": ((-1, 0, 0, -1), lambda x: np.rot90(x, 2)),
    "three quarters": ((0, 1, -1, 0), lambda x: np.rot90(x, 3)),
    "mirror": ((-1, 0, 0, 1), lambda x: x[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda x: x[::-1]),
    "transposed": ((0, 1, 1, 0), lambda x: x.transpose(1, 0, 2)),
    "transposed the other way": ((0, -1, -1, 0), lambda x: np.rot90(x, 2).transpose(1, 0, 2)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_display_matrices_turn_and_mirror(tmp_path, make_video, name):
    (a, b, c, d), shown = MATRICES[name]
    frames = np.zeros((5, 48, 64, 3), np.uint8)
    frames[:, :16, :16], frames[:, :16, 48:] = 255, (200, 0, 0)
    path = make_video(tmp_path / "a.mp4", frames)
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40  # ISO 14496-12: the matrix of a track header of version 0
    content[place : place + 36] = struct.pack(">9i", *(ONE * n for n in (a, b, 0, c, d, 0, 0, 0)), 1 << 30)
    path.write_bytes(content)
    expected = shown(frames[0])
    info, frame = probe(path), next(read_frames(path))
    assert (info.height, info.width) == frame.shape[:2] == expected.shape[:2]
    assert np.abs(frame.astype(int) - expected).mean() < 4
    assert max(np.abs(frame.astype(int) - expected).mean() for frame in read_frames(path, None)) < 4
