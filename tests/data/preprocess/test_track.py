from __future__ import annotations

import cv2
import numpy as np
import pytest

from hallo_lit.data.preprocess.settings import Tracking
from hallo_lit.data.preprocess.track import Box, Track, Tracker, box_of, outside, overlap

SIZE = (240, 320)


def picture(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Black with white boxes, which stand for faces."""
    image = np.zeros((*SIZE, 3), np.uint8)
    for left, top, right, bottom in boxes:
        image[max(0, top) : bottom, max(0, left) : right] = 255
    return image


class Rectangles:
    """Finds white rectangles of at least `least` of the picture's height, suspects smaller ones, as MediaPipe does."""

    def __init__(self, least: float = 0.0):
        self.least, self.suspicions = least, 0

    def find(self, image: np.ndarray) -> list[np.ndarray]:
        boxes = [box for box in self._all(image) if box[3] - box[1] >= self.least * image.shape[0]]
        return [np.array([(*box[:2], 0), (*box[2:], 0)], np.float64) for box in boxes]

    def suspect(self, image: np.ndarray) -> list[Box]:
        self.suspicions += 1
        return self._all(image)

    def _all(self, image: np.ndarray) -> list[Box]:
        count, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 127).astype(np.uint8))
        return [(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h, _ in stats[1:count]]


def follow(frames: dict[int, np.ndarray], eyes: Rectangles | None = None, **settings) -> list[Track]:
    tracker = Tracker(Tracking(side=320, **settings), eyes or Rectangles())
    for frame, image in frames.items():
        tracker.look(frame, image)
    return tracker.tracks


def test_two_faces_keep_apart():
    frames = {5 * i: picture((20 + 4 * i, 40, 80 + 4 * i, 110), (240 - 3 * i, 90, 290 - 3 * i, 150)) for i in range(12)}
    tracks = follow(frames)
    assert len(tracks) == 2
    for track in tracks:
        assert track.frames == list(range(0, 60, 5))
        steps = np.diff([box[0] for box in track.boxes])
        assert np.abs(steps).max() < 8  # it never jumps to the other face


def test_boxes_are_in_pixels_of_the_picture():
    (track,) = follow({0: picture((50, 60, 110, 140)), 5: picture((52, 60, 112, 140))})
    np.testing.assert_allclose(track.boxes, [(50, 60, 110, 140), (52, 60, 112, 140)], atol=2)


def test_a_face_that_is_away_for_longer_than_the_gap_starts_anew():
    there, empty = picture((100, 80, 160, 150)), picture()
    frames = {0: there, 5: empty, 10: empty, 15: there, **{20 + 5 * i: empty for i in range(5)}, 45: there}
    tracks = follow(frames, max_gap=0.61)
    assert [track.frames for track in tracks] == [[0, 15], [45]]


def test_a_small_face_is_suspected_first_and_then_found_where_it_was():
    eyes = Rectangles(least=0.18)
    frames = {5 * i: picture((200 + i, 120, 228 + i, 160)) for i in range(4)}  # 40 of 240 pixels
    (track,) = follow(frames, eyes)
    assert track.frames == [0, 5, 10, 15]
    assert eyes.suspicions == 1


def test_a_face_half_outside_is_not_seen():
    class Guessing(Rectangles):
        def find(self, image: np.ndarray) -> list[np.ndarray]:
            return [np.array([(-30.0, 80.0), (30.0, 150.0)])] if image.shape[1] == 320 else []

    assert Tracker(Tracking(side=320), Guessing()).look(0, picture((-30, 80, 30, 150))) == []
    assert Tracker(Tracking(side=320, outside=0.6), Guessing()).look(0, picture((-30, 80, 30, 150))) != []


def test_no_more_than_the_largest_faces_are_followed():
    boxes = [(10 + 60 * i, 20, 30 + 60 * i + 4 * i, 50 + 8 * i) for i in range(5)]
    tracks = follow({0: picture(*boxes)}, max_faces=3)
    assert len(tracks) == 3
    assert min(track.height() for track in tracks) >= 44


@pytest.mark.parametrize(
    ("box", "share"), [((0, 0, 10, 10), 0), ((-5, 0, 5, 10), 0.5), ((-20, -20, -10, -10), 1), ((315, 0, 325, 10), 0.5)]
)
def test_outside(box, share):
    assert outside(box, SIZE) == pytest.approx(share)


def test_overlap_is_intersection_over_union():
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0


def test_box_of_landmarks():
    assert box_of(np.array([(3.0, 9.0, 1.0), (1.0, 20.0, -4.0), (2.0, 2.0, 0.0)])) == (1, 2, 3, 20)
