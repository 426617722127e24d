from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hallo_lit.cli.compose import compose, plain
from hallo_lit.evaluation.logs import log_table
from hallo_lit.evaluation.table import Column, Item, Row, Table
from hallo_lit.factory import build


@pytest.fixture
def table(talks: Path) -> Table:
    ours = Row("ours", {"fid": 2.5}, items=(Item("one", True), Item("gone", False)), facts={"videos": str(talks)})
    return Table("t", [Column("fid", "FID ↓"), Column("fvd", "FVD ↓")], [ours, Row("Real video", {"fvd": 1.0})])


def test_csv_has_the_numbers(table: Table, tmp_path: Path) -> None:
    config = plain(compose("evaluate", "logger=csv", f"run_dir='{tmp_path}'"))
    log_table(table, [build(config["logger"]["csv"], trust=None)])
    (row,) = csv.DictReader((tmp_path / "logs" / "metrics.csv").open())
    assert (float(row["ours/fid"]), float(row["Real video/fvd"])) == (2.5, 1.0)


def test_wandb_has_a_table_with_videos(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    config = plain(compose("evaluate", "logger=wandb", f"run_dir='{tmp_path}'"))
    log_table(table, [build(config["logger"]["wandb"], trust=None)])
    (text,) = (path.read_text() for path in tmp_path.rglob("*.table.json"))
    assert '"video 1"' in text
    assert '"Real video"' in text
    assert len(list(tmp_path.rglob("*.mp4"))) == 1
    import wandb

    assert wandb.run is None  # the next row of a sweep begins a run of its own
