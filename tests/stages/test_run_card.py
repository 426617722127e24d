from __future__ import annotations

from pathlib import Path

from hallo_lit.stages.checkpoint import Checkpoint
from hallo_lit.stages.run_card import SHOWN, TABLE, run_card


def checkpoint(run: Path) -> Checkpoint:
    config = {"name": "mine", "seed": 3, "init": {"weights": ["/home/anna/bundles/start"]}}
    return Checkpoint(run / "checkpoints" / "step0000100.ckpt", "talking", 100, config, {})


def test_a_run_without_a_table_still_says_what_it_is(tmp_path: Path) -> None:
    said = run_card(checkpoint(tmp_path))
    assert "- stage: talking" in said
    assert "- steps: 100" in said
    assert "- begun from: start" in said  # and not where that lay
    assert "anna" not in said
    assert "|" not in said


def test_losses_between_the_rows_are_averaged(tmp_path: Path) -> None:
    (tmp_path / TABLE).parent.mkdir()
    rows = [f",{step},{0.1 * step}" for step in range(100)] + [f"{step / 1000},{step},0.5" for step in (50, 100)]
    (tmp_path / TABLE).write_text("\n".join(["cpu_hours,step,train/loss", *rows]))
    said = run_card(checkpoint(tmp_path))
    assert "- CPU hours: 0.10" in said
    rows = [line for line in said.splitlines() if line.startswith(("| 50 ", "| 100 "))]
    assert [row.split("|")[1].strip() for row in rows] == ["50", "100"]
    assert rows[1].split("|")[2].strip() == f"{(sum(0.1 * s for s in range(51, 100)) + 0.5) / 50:.4f}"


def test_long_curves_are_thinned(tmp_path: Path) -> None:
    (tmp_path / TABLE).parent.mkdir()
    rows = [f"{step / 1000},{step},0.5" for step in range(10, 1010, 10)]
    (tmp_path / TABLE).write_text("\n".join(["cpu_hours,step,train/loss", *rows]))
    table = run_card(checkpoint(tmp_path)).split("|---|---|---|\n")[1].splitlines()
    assert len(table) == SHOWN
    assert table[-1].startswith("| 1000 ")
