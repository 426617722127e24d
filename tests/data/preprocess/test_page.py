from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from hallo_lit.data.preprocess.page import write_page
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.render import THUMB, thumbnail

from .lines import LINES


def page(tmp_path: Path, lines: list[dict], **options) -> np.ndarray:
    return np.asarray(Image.open(write_page(tmp_path, lines, **options)))


def test_the_page_shows_thumbs_in_frames_of_their_verdict(tmp_path):
    records = Records(tmp_path)
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 0] = 255
    records.save_bytes("thumbs", "01", ".jpg", thumbnail(red))
    records.save_bytes("thumbs", "cc", ".jpg", thumbnail(red[:50]))
    image = page(tmp_path, LINES)
    reddish = (image[..., 0] > 240) & (image[..., 1] < 20) & (image[..., 2] < 20)
    assert THUMB**2 * 1.4 < reddish.sum() < THUMB**2 * 1.6  # one square, and half of one
    for colour in ((40, 140, 70), (190, 130, 20), (180, 50, 50)):
        assert (image == colour).all(axis=2).sum() > 1000


def test_the_page_stays_small_however_many_inputs(tmp_path):
    few = page(tmp_path, LINES * 8, most=8)
    many = page(tmp_path, LINES * 100, most=8)
    assert few.shape == many.shape


def test_an_empty_page(tmp_path):
    assert page(tmp_path, []).size > 0


def test_line_breaks_in_names_and_reasons(tmp_path):
    odd = {**LINES[3], "source": "new\nline\u2028.mp4", "reasons": ["it failed:\n\nframe #0\r\n\x85 somewhere"]}
    assert page(tmp_path, [odd]).shape == page(tmp_path, [LINES[3]]).shape


def test_keys_that_are_no_hashes_have_no_thumb(tmp_path):
    assert page(tmp_path, [{**LINES[3], "content": "../x"}]).size > 0
