from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch

from hallo_lit.data.preprocess.render import Plan, Rendered, render
from hallo_lit.data.preprocess.settings import Crop
from hallo_lit.data.preprocess.sound import SoundReader
from hallo_lit.errors import UserError
from hallo_lit.media.audio import read_audio
from hallo_lit.media.video import read_frames

SMALL = Crop(size=32, quality=4.0)


def numbered(frames: int) -> Iterator[np.ndarray]:
    """The left half of frame i has brightness 4 i, the right one 250 - 4 i."""
    for i in range(frames):
        image = np.full((48, 96, 3), 4 * i, np.uint8)
        image[:, 48:] = 250 - 4 * i
        yield image


@contextmanager
def nobody():
    yield lambda picture: None


def make(folder: Path, frames: int, plans: list[Plan], sound: SoundReader | None = None) -> dict[str, Rendered]:
    names = (folder / f"{i}.mp4" for i in count())
    return {clip.plan.id: clip for clip in render(numbered(frames), sound, plans, SMALL, nobody, lambda: next(names))}


def test_overlapping_clips_get_their_frames_place_and_sound(tmp_path):
    wave = torch.sin(torch.arange(50 * 640) / 8) * torch.linspace(0.1, 0.9, 50 * 640)
    plans = [Plan("left", 5, 25, (0, 0, 48, 48)), Plan("right", 20, 50, (48, 0, 96, 48))]
    clips = make(tmp_path, 50, plans, SoundReader(wave.split(1000)))
    for name, first, last in (("left", 5, 25), ("right", 20, 50)):
        seen = np.array([frame.mean() for frame in read_frames(clips[name].video)])
        at = np.arange(first, last)
        np.testing.assert_allclose(seen, 4 * at if name == "left" else 250 - 4 * at, atol=3)
        assert torch.equal(clips[name].wave, wave[first * 640 : last * 640])
        heard = read_audio(clips[name].video)
        assert len(heard) == (last - first) * 640
        assert np.corrcoef(heard, wave[first * 640 : last * 640])[0, 1] > 0.98
    assert clips["left"].seen.landmarks.shape == (20, 478, 3)
    assert np.isnan(clips["left"].seen.landmarks).all()
    assert clips["left"].thumb.startswith(b"\xff\xd8")


def test_reading_stops_after_the_last_clip(tmp_path):
    pulled = []

    def counted() -> Iterator[np.ndarray]:
        for i, image in enumerate(numbered(60)):
            pulled.append(i)
            yield image

    (clip,) = render(counted(), None, [Plan("a", 3, 9, (0, 0, 48, 48))], SMALL, nobody, lambda: tmp_path / "a.mp4")
    assert clip.wave is None
    assert len(pulled) <= 10


def test_too_few_frames_are_an_error_that_leaves_nothing(tmp_path):
    with pytest.raises(UserError, match="fewer pictures"):
        make(tmp_path, 30, [Plan("a", 10, 40, (0, 0, 48, 48))])
    assert list(tmp_path.iterdir()) == []


def test_giving_up_half_way_leaves_nothing(tmp_path):
    names = (tmp_path / f"{i}.mp4" for i in count())
    plans = [Plan("a", 0, 10, (0, 0, 48, 48)), Plan("b", 5, 30, (0, 0, 48, 48))]
    clips = render(numbered(40), None, plans, SMALL, nobody, lambda: next(names))
    first = next(clips)
    first.video.unlink()
    clips.close()
    assert list(tmp_path.iterdir()) == []
