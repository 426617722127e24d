from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.preprocess.crop import fit, padding, scaled, square, square_around
from hallo_lit.data.preprocess.settings import Crop


@pytest.mark.parametrize("seed", range(20))
def test_the_square_holds_the_face_and_stays_inside_when_it_can(seed):
    rng = np.random.default_rng(seed)
    picture = (int(rng.integers(300, 1100)), int(rng.integers(300, 2000)))
    side = float(rng.uniform(60, 120))
    x, y = rng.uniform(0, picture[1] - side - 40), rng.uniform(0, picture[0] - side - 40)
    boxes = tuple((x + dx, y + dy, x + dx + side, y + dy + side) for dx, dy in rng.uniform(0, 40, (30, 2)))
    left, top, right, bottom = square(boxes, picture, Crop())
    assert right - left == pytest.approx(bottom - top)
    middle = np.median(np.array(boxes), axis=0)
    assert left <= middle[0] + 1e-6
    assert top <= middle[1] + 1e-6
    assert right >= middle[2] - 1e-6
    assert bottom >= middle[3] - 1e-6
    assert padding((left, top, right, bottom), picture) == pytest.approx(0, abs=1e-9)


def test_a_face_takes_its_share_of_the_square_and_sits_below_the_middle():
    left, top, right, bottom = square(
        ((460.0, 440.0, 540.0, 560.0),), (1000, 1000), Crop(face_share=0.6, headroom=0.04)
    )
    assert right - left == pytest.approx(200)
    assert (left + right) / 2 == pytest.approx(500)
    assert (top + bottom) / 2 == pytest.approx(500 - 0.04 * 200)


def test_training_sees_faces_as_portraits_are_cropped_for_animation():
    from hallo_lit.faces.crop import FACE_SHARE, HEADROOM

    assert (Crop().face_share, Crop().headroom) == (FACE_SHARE, HEADROOM)


def test_a_close_up_is_taken_whole():
    assert square(((100.0, 60.0, 420.0, 460.0),), (512, 512), Crop()) == pytest.approx((0, 0, 512, 512))


def test_a_face_larger_than_the_picture_is_padded():
    box = square(((-20.0, -30.0, 230.0, 270.0),), (240, 320), Crop())
    assert box[3] - box[1] == pytest.approx(330)
    assert padding(box, (240, 320)) > 0.2


def test_one_wrong_detection_does_not_move_the_square():
    steady = [(400.0, 300.0, 500.0, 420.0)] * 80
    with_outlier = (*steady, (0.0, 0.0, 90.0, 100.0))
    assert square(with_outlier, (720, 1280), Crop()) == square(tuple(steady), (720, 1280), Crop())


def test_a_given_box_becomes_a_square_around_it():
    assert square_around((100, 50, 300, 150), (400, 600)) == (100, 0, 300, 200)
    assert square_around((100, 0, 700, 400), (400, 800)) == (100, -100, 700, 500)


def test_fit_and_scaled():
    assert fit(-5, 30, 20, (40, 100)) == (0, 20, 20, 40)
    assert scaled((1, 2, 3, 4), 0.5) == (0.5, 1, 1.5, 2)
