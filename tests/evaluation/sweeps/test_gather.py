"""The table of a sweep from rows on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.evaluation.sweeps.gather import finish, gather
from hallo_lit.evaluation.sweeps.sweep import Sweep
from hallo_lit.evaluation.table import Table

from .made import three_seeds

SWEEP = Sweep(label="Fusion", rows={"fusion=late": "late", "fusion=early": "early"}, repeats=["seed"])


def test_the_table_has_the_order_of_the_file_and_says_how_it_was_made(tmp_path: Path) -> None:
    made = gather(three_seeds(tmp_path, {"early": 20.0, "late": 25.0, "new": 22.0}), SWEEP, "Title")
    assert [row.name for row in made.table.rows] == ["late", "early", "fusion=new"]
    assert [column.heading for column in made.table.columns] == ["PSNR ↑", "jitter ↓"]
    assert made.table.header["test set"] == "4 clips"
    assert "late x 3" in made.table.header["rows"]
    assert not any(subject.startswith("seed=") for subject in made.table.header)
    assert made.said[0].startswith("PSNR: late has the best number (25.00), apart from all others")


def test_files_are_written_with_a_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finish(three_seeds(tmp_path, {"early": 20.0, "late": 25.0}), SWEEP, "Title")
    assert Table.load(tmp_path / "table.json").title == "Title"
    assert "late" in (tmp_path / "table.csv").read_text()
    assert "late has the best" in (tmp_path / "findings.txt").read_text()
    assert (tmp_path / "plot.png").stat().st_size > 5000
    assert "plot.png" in capsys.readouterr().out
