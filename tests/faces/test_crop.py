"""The crop holds the face as it should, and goes back into the photo unseen."""

from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.faces.crop import FACE_SHARE, TIGHTEST, Paster, crop, paste, square_crop


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)))


def test_the_face_takes_its_share_in_the_middle(made_up):
    left, top, right, bottom = square_crop(made_up, (1000, 1000))
    assert right - left == bottom - top == round(140 / FACE_SHARE)
    assert abs((left + right) / 2 - 200) <= 1
    assert 0 < 300 - (top + bottom) / 2 < 0.06 * (right - left)  # room for hair
    wide = square_crop(made_up, (1000, 1000), expand=1.5)
    assert wide[2] - wide[0] == round(140 / FACE_SHARE * 1.5)


def test_the_crop_stays_in_the_photo_while_it_can(made_up):
    for move in ((-130, -200, 0), (700, 600, 0), (-130, 600, 0)):
        left, top, right, bottom = square_crop(made_up + move, (1000, 1000))
        assert 0 <= left < right <= 1000
        assert 0 <= top < bottom <= 1000
        assert right - left == round(140 / FACE_SHARE)


def test_a_photo_that_is_too_tight(made_up):
    left, top, right, bottom = square_crop(made_up - (140, 220, 0), (200, 210))  # the face would take 70 %
    assert (left, right - left, top, bottom) == (0, 200, 0, 200)
    left, top, right, bottom = square_crop(made_up - (140, 225, 0), (150, 120))
    assert right - left == bottom - top == round(140 / TIGHTEST)
    assert left < 0
    assert right > 120


def test_crop_replicates_the_border(portrait):
    box = (-100, -50, 300, 350)
    inside = crop(portrait, (0, 0, 300, 350), (350, 300))
    view = crop(portrait, box, (400, 400))
    np.testing.assert_array_equal(view[50:, 100:], inside)
    np.testing.assert_array_equal(view[:50], np.repeat(view[50:51], 50, 0))
    np.testing.assert_array_equal(view[:, :100], np.repeat(view[:, 100:101], 100, 1))
    assert crop(portrait, (10.4, 10.4, 50.6, 50.6), (16, 24)).shape == (16, 24, 3)


def test_crop_does_not_share_memory(portrait):
    view = crop(portrait, (0, 0, 512, 512), (512, 512))
    assert not np.shares_memory(view, portrait)


@pytest.mark.parametrize("box", [(600, 0, 700, 100), (-50, 0, 0, 50), (10, 10, 10, 20)])
def test_boxes_that_miss(portrait, box):
    with pytest.raises(ValueError, match="does not overlap"):
        crop(portrait, box, (64, 64))
    with pytest.raises(ValueError, match="does not overlap"):
        Paster(portrait, box)


@pytest.mark.parametrize(
    "box", [(120, 20, 330, 230), (0, 0, 512, 512), (-60, -40, 300, 320), (100, 300, 400, 600), (50, 60, 350, 200)]
)
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_untouched_crop_gives_back_the_photo(portrait, box, scale):
    size = (round((box[3] - box[1]) * scale), round((box[2] - box[0]) * scale))
    whole = paste(crop(portrait, box, size), portrait, box)
    assert whole.shape == portrait.shape
    assert psnr(whole, portrait) > 40
    inside = np.zeros(portrait.shape[:2], bool)
    inside[max(box[1], 0) : box[3], max(box[0], 0) : box[2]] = True
    np.testing.assert_array_equal(whole[~inside], portrait[~inside])


def test_no_seam_shows():
    photo = np.full((200, 300, 3), 100, np.uint8)
    box = (80, 40, 220, 180)
    whole = paste(np.full((64, 64, 3), 160, np.uint8), photo, box).astype(int)
    assert whole[110, 150, 0] == 160
    assert whole[30, 70, 0] == 100
    for axis in (0, 1):
        assert np.abs(np.diff(whole, axis=axis)).max() <= 9  # 60 levels over 11 pixels, smoothly
    assert np.abs(whole[40, 80:220] - 100).max() <= 2


def test_no_fade_where_the_photo_ends():
    photo = np.full((100, 100, 3), 100, np.uint8)
    frame = np.full((50, 50, 3), 200, np.uint8)
    assert paste(frame, photo, (0, 0, 100, 100)).min() == 200
    assert paste(frame, photo, (-10, -10, 110, 110)).min() == 200
    half = paste(frame, photo, (0, 0, 50, 100))
    assert half[50, 0, 0] == half[0, 20, 0] == half[99, 20, 0] == 200
    assert half[50, 49, 0] < 110


def test_a_paster_serves_many_frames(portrait):
    paster = Paster(portrait, (120, 20, 330, 230))
    before = portrait.copy()
    first = paster(np.zeros((64, 64, 3), np.uint8))
    second = paster(np.full((64, 64, 3), 255, np.uint8))
    assert first[125, 225].max() == 0
    assert second[125, 225].min() == 255
    np.testing.assert_array_equal(portrait, before)
    np.testing.assert_array_equal(paster(np.zeros((64, 64, 3), np.uint8)), first)
