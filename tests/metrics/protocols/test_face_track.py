from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.metrics.protocols import face_track


def box(x: float, size: float = 150) -> np.ndarray:
    return np.array([x, 50, x + size, 50 + size])


def test_gaps_of_25_frames_are_bridged_and_longer_ones_end_a_track():
    def detections(gap: int) -> list[np.ndarray]:
        frames = [box(100 + i)[None] for i in range(120 + gap)]
        for i in range(60, 60 + gap - 1):
            frames[i] = np.zeros((0, 4))
        return frames

    (track,) = face_track.link(detections(25), min_track=100)
    assert len(track.frames) == 145
    assert np.allclose(track.boxes[:, 0], 100 + np.arange(145))
    assert [len(t.frames) for t in face_track.link(detections(26), min_track=50)] == [60, 61]


def test_a_track_needs_more_than_the_minimum_and_a_big_enough_face():
    still = [box(100)[None]] * 101
    assert len(face_track.link(still)) == 1
    assert face_track.link(still[:100]) == []
    assert face_track.link([box(100, 100)[None]] * 101) == []


def test_two_faces_become_two_tracks():
    both = [np.stack([box(50), box(400)])] * 110
    assert sorted(track.boxes[0, 0] for track in face_track.link(both)) == [50, 400]


def test_a_jump_is_another_face():
    frames = [box(100)[None]] * 105 + [box(400)[None]] * 105
    assert [len(track.frames) for track in face_track.link(frames)] == [105, 105]


def test_the_median_shrinks_the_first_and_last_six_frames():
    path = face_track.smooth(face_track.Track(np.arange(40), np.tile(box(100), (40, 1))))
    assert (path.s[7:33] == 75).all()
    assert path.s[0] == 75
    assert face_track.smooth(face_track.Track(np.arange(40), np.stack([box(i) for i in range(40)]))).x[0] < 75 + 6


def test_the_crop_is_grey_outside_the_picture():
    frame = np.full((200, 200, 3), 255, np.uint8)
    crop = face_track.crop(frame, s=75.0, x=0.0, y=100.0)
    assert crop.shape == (224, 224, 3)
    assert (crop[112, 0] == face_track.GREY).all()
    assert (crop[60, 223] == 255).all()


def test_the_rectangle_is_wider_than_high_above_the_centre():
    top, bottom, left, right, pad = face_track.rectangle(50.0, 100.0, 100.0)
    assert (100 + pad - top, bottom - 100 - pad) == (50, 90)
    assert (100 + pad - left, right - 100 - pad) == (70, 70)


def test_crops_follow_the_frames_of_the_track():
    track = face_track.Track(np.arange(3, 23), np.tile(box(20, 40), (20, 1)))
    frames = (np.full((120, 120, 3), i, np.uint8) for i in range(30))
    assert [int(crop[112, 112, 0]) for crop in face_track.crops(frames, track)] == list(range(3, 23))
    assert face_track.seconds(track) == pytest.approx((0.12, 0.92))


def test_an_empty_box_is_an_error():
    with pytest.raises(ValueError, match="leaves the picture"):
        face_track.crop(np.zeros((10, 10, 3), np.uint8), s=0.0, x=5.0, y=5.0)
