from __future__ import annotations

import pytest

from hallo_lit.data.preprocess.report import read_report, summarise, table, write_report

from .lines import LINES, TWIN


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


@pytest.mark.parametrize(
    "damage",
    [
        b'{"source": "a", "path"',
        b"\xff\x00",
        b"3",
        b"[]",
        b"{}",
        b'{"source": "a", "path": "/a", "verdict": 3, "reasons": [], "clips": []}',
        b'{"source": "a", "path": "/a", "verdict": "kept", "reasons": [], "clips": [1]}',
        b'{"source": "a", "path": "/a", "verdict": "kept", "reasons": [], "clips": [{"id": "01"}]}',
        b'{"source": "a", "path": "/a", "verdict": "kept", "reasons": [], "content": [], "clips": []}',
        b"[" * 100_000,
    ],
)
def test_damaged_lines_are_passed_over(tmp_path, damage):
    path = write_report(tmp_path, LINES)
    first, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(first + b"\n" + damage + b"\n" + rest)
    assert read_report(tmp_path) == LINES
