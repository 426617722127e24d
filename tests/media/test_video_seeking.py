"""A video entered in the middle gives the frames that decoding from its beginning gives."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from hallo_lit.media import pictures
from hallo_lit.media.video import VideoWriter, read_clip, read_frames

FRAMES, STARTS = 90, (1, 2, 3, 11, 12, 13, 35, 47, 71, 88, 89, 90, 500)
X264 = {
    "closed": {},
    "open_gop": {"x264-params": "open-gop=1:bframes=3:keyint=12"},
    "many_b": {"x264-params": "bframes=8:b-adapt=0:b-pyramid=normal:keyint=30"},
    "refresh": {"x264-params": "intra-refresh=1:keyint=12"},
    "one_key": {"g": "1000"},
}


def steady(rate: float) -> list[float]:
    return [i / rate for i in range(FRAMES)]


def uneven(seed: int = 3) -> list[float]:
    """Steps of 4 to 150 ms, as phones record."""
    return np.cumsum(np.random.default_rng(seed).choice([0.004, 0.02, 0.04, 0.07, 0.15], FRAMES)).tolist()


def same_as_from_the_beginning(path, fps=25) -> None:
    whole = list(read_frames(path, fps))
    for start in STARTS:
        stretch = list(islice(read_frames(path, fps, start=start), 20))
        assert len(stretch) == len(whole[start : start + 20])
        for got, expected in zip(stretch, whole[start:], strict=False):
            np.testing.assert_array_equal(got, expected)
    ends = [len(list(read_frames(path, fps, start=start))) for start in (len(whole) - 1, len(whole) // 2)]
    assert ends == [1, len(whole) - len(whole) // 2]


@pytest.fixture
def frames(smooth) -> np.ndarray:
    return np.stack([smooth(3 * index) for index in range(FRAMES)])


@pytest.mark.parametrize("kind", X264)
@pytest.mark.parametrize("times", [steady(25), steady(30000 / 1001), uneven()], ids=["25", "29.97", "uneven"])
def test_h264(tmp_path, make_video, frames, kind, times):
    same_as_from_the_beginning(make_video(tmp_path / "a.mp4", frames, times=times, options=X264[kind]))


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mkv", "libx264", X264["open_gop"]),
        ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
        ("a.ts", "libx264", X264["open_gop"]),
        ("a.ts", "mpeg2video", {"bf": "2", "b": "4M"}),
        ("a.mpg", "mpeg2video", {"bf": "2", "b": "4M"}),
        ("a.avi", "mpeg4", {"bf": "2", "b": "4M"}),
        ("a.avi", "libx264", {}),
        ("a.flv", "libx264", {}),
        ("a.mov", "mjpeg", {"b": "9M", "strict": "-1"}),
        ("a.mp4", "libx265", {"x265-params": "log-level=none:keyint=12:open-gop=1:bframes=3"}),
    ],
)
def test_other_formats(tmp_path, make_video, frames, name, codec, options):
    ticks = 25 if codec == "mpeg2video" else 12000
    same_as_from_the_beginning(make_video(tmp_path / name, frames, codec=codec, options=options, ticks=ticks))


@pytest.mark.parametrize("shift", [0.5, 3.0])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_pictures_that_begin_late(tmp_path, make_video, frames, sweep, name, shift):
    times = [time + shift for time in uneven(4)]
    path = make_video(tmp_path / name, frames, times=times, wave=sweep(8, 48000), options=X264["open_gop"])
    same_as_from_the_beginning(path)


@pytest.mark.parametrize("fps", [10, 24, 60])
def test_other_rates(tmp_path, make_video, frames, fps):
    same_as_from_the_beginning(make_video(tmp_path / "a.mp4", frames, times=uneven(5)), fps)


def test_all_frames_and_rotated_ones(tmp_path, make_video, frames):
    path = make_video(tmp_path / "a.mp4", frames, rotation=90)
    whole = list(read_frames(path, None))
    np.testing.assert_array_equal(np.stack(list(read_frames(path, None, start=50))), np.stack(whole[50:]))
    same_as_from_the_beginning(path)


def test_clips_of_open_groups(tmp_path, make_video, frames):
    path = make_video(tmp_path / "a.mp4", frames, options=X264["open_gop"])
    whole = list(read_frames(path, None))
    for start in range(FRAMES - 3):
        np.testing.assert_array_equal(read_clip(path, start, 3), np.stack(whole[start : start + 3]))


def test_only_what_is_near_is_decoded(tmp_path, monkeypatch):
    with VideoWriter(tmp_path / "a.mp4", (48, 64)) as writer:
        for index in range(2000):
            writer.write(np.full((48, 64, 3), index % 250, np.uint8))
    given = 0  # pictures

    def counted(*args):
        nonlocal given
        for found in decode(*args):
            given += 1
            yield found

    decode = pictures.decode
    monkeypatch.setattr(pictures, "decode", counted)
    frame = next(read_frames(tmp_path / "a.mp4", start=1900))
    assert abs(int(frame.mean()) - 1900 % 250) < 3
    assert given < 300
