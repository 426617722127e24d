from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.errors import UserError
from hallo_lit.metrics.video import Unmeasurable, Video, sound_of
from metrics.footage import clip, mesh, pictures, tone


def test_batches_cover_all_frames_in_order():
    frames = pictures(7)
    video = Video.from_arrays("a", frames)
    parts = list(video.batches(3))
    assert [len(part) for part in parts] == [3, 3, 1]
    assert np.array_equal(np.concatenate(parts), frames)


def test_frames_can_be_read_again():
    video = clip(frames=3)
    assert sum(1 for _ in video.frames()) == sum(1 for _ in video.frames()) == 3


def test_a_silent_clip_borrows_the_driving_sound():
    wave = tone(1.0)
    silent, real = clip(), clip(wave=wave)
    with pytest.raises(Unmeasurable, match="no sound"):
        sound_of(silent, None)
    assert np.array_equal(sound_of(silent, real), wave)


def test_sound_with_nan_is_refused():
    with pytest.raises(Unmeasurable, match="NaN"):
        _ = clip(wave=np.array([0.0, np.nan])).wave


def test_frames_that_are_partly_nan_count_as_without_face():
    landmarks = mesh(4)
    landmarks[1, 5, 0] = np.nan
    video = clip(frames=4, landmarks=landmarks)
    assert video.seen.tolist() == [True, False, True, True]
    assert np.isnan(video.landmarks[1]).all()


def test_a_clip_without_a_face_is_unmeasurable():
    with pytest.raises(Unmeasurable, match="no face was found in any of its 3 frames"):
        _ = clip(frames=3, landmarks=np.full((3, 478, 3), np.nan)).landmarks


def test_a_file_that_cannot_be_read_is_a_verdict_not_a_crash():
    def broken():
        raise UserError("a.mp4 is damaged; copy it again.")
        yield

    with pytest.raises(Unmeasurable, match=r"a\.mp4 is damaged"):
        list(Video("a", broken, lambda: None).frames())
