from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from hallo_lit.data.preprocess.page import write_page
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.render import THUMB, thumbnail
from hallo_lit.data.preprocess.report import read_report, summarise, table, write_report


def clip(id: str, verdict: str, *reasons: str, end: float = 2.0) -> dict:
    measured = {"face": 200.0, "sync_r": 0.4}
    return {"id": id, "start": 0.0, "end": end, "verdict": verdict, "reasons": list(reasons), "measured": measured}


LINES = [
    {
        "source": "a.mp4",
        "path": "/in/a.mp4",
        "verdict": "kept",
        "reasons": [],
        "content": "aa",
        "clips": [clip("01", "kept"), clip("02", "rejected", "the face is 40 pixels high, less than 100")],
    },
    {
        "source": "b é.mp4",
        "path": "/in/b é.mp4",
        "verdict": "undecided",
        "reasons": ["speech is heard in only 0% of the time"],
        "content": "bb",
        "clips": [clip("03", "undecided", "speech is heard in only 0% of the time", end=1.5)],
    },
    {
        "source": "c.mp4",
        "path": "/in/c.mp4",
        "verdict": "rejected",
        "reasons": ["the face is 66 pixels high, less than 100"],
        "content": "cc",
        "clips": [clip("04", "rejected", "the face is 66 pixels high, less than 100")],
    },
    {
        "source": "d.mp4",
        "path": "/in/d.mp4",
        "verdict": "unreadable",
        "reasons": ["/in/d.mp4 is empty (0 bytes)"],
        "content": "dd",
        "clips": [],
    },
]
TWIN = {**LINES[0], "source": "twin.mp4", "duplicate_of": "/in/a.mp4"}


def test_counts_over_inputs_and_clips():
    summary = summarise([*LINES, TWIN])
    assert summary.inputs == {"kept": 2, "undecided": 1, "rejected": 1, "unreadable": 1}
    assert summary.clips == {"kept": 1, "undecided": 1, "rejected": 2}, "shared clips count once"
    assert summary.seconds == 3.5
    assert summary.reasons == {"the face is n pixels high, less than n": 2, "it is empty": 1}


def test_the_table_is_aligned_and_complete():
    text = table(summarise(LINES))
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line[:1].isalpha()}
    assert rows["kept"] == ["1", "1"]
    assert rows["all"] == ["4", "4"]
    assert "3.5 s in the store" in text
    assert "2  the face is n pixels high" in text


def test_the_report_reads_back_also_with_names_that_are_no_unicode(tmp_path):
    odd = {**LINES[3], "source": b"\xff.mp4".decode("utf-8", "surrogateescape")}
    path = write_report(tmp_path, [*LINES, odd])
    assert len(path.read_text(encoding="ascii").splitlines()) == 5
    assert read_report(tmp_path) == [*LINES, odd]
    assert read_report(tmp_path / "nowhere") == []


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
