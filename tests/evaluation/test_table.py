from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from rich.console import Console

from hallo_lit.errors import UserError
from hallo_lit.evaluation.table import REAL, Column, Item, Row, Table, columns_of
from hallo_lit.metrics.aperture import Aperture
from hallo_lit.metrics.fid import FID
from hallo_lit.metrics.sync import Sync

COLUMNS = [
    Column("fid", "FID ↓"),
    Column("sync_c", "Sync-C ↑"),
    Column("ratio", "head/real →1"),
    Column("loud", "(loudness)"),
    Column("never", "empty ↓"),
]


@pytest.fixture
def table() -> Table:
    a = Row(
        "A & B_1",
        {"fid": 20.25, "sync_c": 7.75, "ratio": 1.3, "loud": 0.1, "extra": 3.0},
        {"fid": (18, 23)},
        {"fid": 4, "sync_c": 4, "ratio": 4},
        4,
        5,
        {"efid": "bring it"},
        ("few",),
        (Item("x", False, {"": "no"}),),
    )
    b = Row("C", {"fid": 30.0, "sync_c": 7.9, "ratio": 0.9, "loud": 0.2}, {}, {"fid": 4, "sync_c": 2, "ratio": 4}, 4, 5)
    real = Row(REAL, {"sync_c": 9.0, "ratio": 1.0, "loud": 0.2}, {}, {"sync_c": 4}, 4, 5)
    return Table("Ünï 100 %", COLUMNS, [a, b, real], {"test set": "5 clips"})  # fmt: skip


def test_the_best_of_those_that_counted_as_much(table: Table) -> None:
    best = {column.key: table.best(column) for column in COLUMNS}
    assert best == {"fid": "A & B_1", "sync_c": None, "ratio": "C", "loud": None, "never": None}


def test_headings_come_from_the_metrics() -> None:
    columns = columns_of([FID(), Sync(), Aperture()])
    assert [column.heading for column in columns[:4]] == ["FID ↓", "Sync-C ↑", "Sync-D ↓", "lip gap r ↑"]
    assert [column.better for column in columns[:4]] == ["lower", "higher", "lower", "higher"]


def test_the_screen_shows_metrics_down_and_methods_across(table: Table) -> None:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table.to_rich())
    text = console.export_text()
    assert "A & B_1" in text
    assert "[18.00, 23.00]" in text
    assert "7.900 (n=2)" in text
    assert "empty" not in text
    assert "test set: 5 clips" in text


def test_markdown(table: Table) -> None:
    lines = table.to_markdown().splitlines()
    assert lines[2] == "| Method | clips | FID ↓ | Sync-C ↑ | head/real →1 | (loudness) |"
    assert lines[4] == "| A & B_1 | 4/5 | **20.25 [18.00, 23.00]** | 7.750 | 1.300 | 0.100 |"
    assert lines[6] == "| Real video | 4/5 | – | 9.000 | 1.000 | 0.200 |"
    assert lines[-1] == "- test set: 5 clips"


def test_latex_escapes_what_means_something_there(table: Table) -> None:
    text = table.to_latex()
    assert r"A \& B\_1 & 4/5 & \textbf{20.25 [18.00, 23.00]} & 7.750" in text
    assert r"Real video & 4/5 & -- & 9.000" in text
    assert r"FID $\downarrow$ & Sync-C $\uparrow$ & head/real $\to 1$" in text
    assert text.count(r"\\") == 4


def test_csv_holds_every_value(table: Table) -> None:
    lines = [line for line in table.to_csv().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert [row["name"] for row in rows] == ["A & B_1", "C", REAL]
    assert (float(rows[0]["fid"]), rows[0]["fid_low"], rows[0]["fid_clips"]) == (20.25, "18", "4")
    assert rows[0]["extra"] == "3.0"
    assert rows[1]["extra"] == rows[2]["fid"] == ""


def test_a_saved_table_comes_back_whole(table: Table, tmp_path: Path) -> None:
    table.save(tmp_path / "new" / "folder")
    assert Table.load(tmp_path / "new" / "folder" / "table.json") == table
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == {
        *("table.csv", "table.tex", "table.md", "table.json", "items.csv"),
    }
    items = list(csv.DictReader((tmp_path / "new" / "folder" / "items.csv").open()))
    assert items == [{"row": "A & B_1", "item": "x", "counted": "no", "metric": "", "remark": "no"}]


@pytest.mark.parametrize("content", ["", "{}", json.dumps({"title": 1, "columns": [{"what": 2}], "rows": []})])
def test_what_is_no_table_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "table.json").write_text(content)
    with pytest.raises(UserError, match="cannot be read as a table"):
        Table.load(tmp_path / "table.json")
