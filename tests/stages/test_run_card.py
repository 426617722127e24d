from __future__ import annotations

from pathlib import Path

from hallo_lit.stages.checkpoint import Checkpoint
from hallo_lit.stages.run_card import LOGS, SHOWN, TABLE, keep_curve, run_card
from hallo_lit.weights.card import CARD


def checkpoint(run: Path, before: str = "/home/anna/bundles/start") -> Checkpoint:
    config = {"name": "mine", "seed": 3, "init": {"weights": [before]}}
    return Checkpoint(run / "checkpoints" / "step0000100.ckpt", "talking", 100, config, {})


def test_a_run_without_a_table_still_says_what_it_is(tmp_path: Path) -> None:
    said = run_card(checkpoint(tmp_path))
    assert "- stage: talking" in said
    assert "- steps: 100" in said
    assert "- begun from: start" in said  # and not where that lay
    assert "anna" not in said
    assert "|" not in said


def test_losses_between_the_rows_are_averaged(tmp_path: Path) -> None:
    (tmp_path / LOGS / TABLE).parent.mkdir()
    rows = [f",{step},{0.1 * step}" for step in range(100)] + [f"{step / 1000},{step},0.5" for step in (50, 100)]
    (tmp_path / LOGS / TABLE).write_text("\n".join(["cpu_hours,step,train/loss", *rows]))
    said = run_card(checkpoint(tmp_path))
    assert "- CPU hours: 0.10" in said
    rows = [line for line in said.splitlines() if line.startswith(("| 50 ", "| 100 "))]
    assert [row.split("|")[1].strip() for row in rows] == ["50", "100"]
    assert rows[1].split("|")[2].strip() == f"{(sum(0.1 * s for s in range(51, 100)) + 0.5) / 50:.4f}"


def test_long_curves_are_thinned(tmp_path: Path) -> None:
    (tmp_path / LOGS / TABLE).parent.mkdir()
    rows = [f"{step / 1000},{step},0.5" for step in range(10, 1010, 10)]
    (tmp_path / LOGS / TABLE).write_text("\n".join(["cpu_hours,step,train/loss", *rows]))
    table = run_card(checkpoint(tmp_path)).split("|---|---|---|\n")[1].splitlines()
    assert len(table) == SHOWN
    assert table[-1].startswith("| 1000 ")


def test_an_interrupted_run_keeps_what_it_wrote(tmp_path: Path) -> None:
    table = tmp_path / LOGS / TABLE
    table.parent.mkdir()
    for first in (10, 20, 30):
        table.write_text(f"cpu_hours,step,train/loss\n{first / 1000},{first},0.5\n")
        keep_curve(tmp_path)
    assert not table.exists()
    assert [step in run_card(checkpoint(tmp_path)) for step in ("| 10 ", "| 20 ", "| 30 ")] == [True] * 3
    keep_curve(tmp_path)


def test_the_card_of_what_a_run_began_from_follows(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    (start / CARD).write_text("# start\n\n## Training\n\n- steps: 7\n\n## What it reaches\n\nlittle\n")
    said = run_card(checkpoint(tmp_path / "run", str(start)))
    assert said.index("- steps: 100") < said.index("- steps: 7")
    assert "little" not in said


def test_a_past_that_two_sources_share_is_told_once(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / CARD).write_text(f"# {name}\n\n## Training: {name}\n\n- a\n\n## Training\n\n- steps: 7\n")
    run = checkpoint(tmp_path / "run")
    run.config["init"]["weights"] = [str(tmp_path / "one"), str(tmp_path / "other")]
    said = run_card(run)
    assert [said.count(part) for part in ("- steps: 7", "## Training: one", "## Training: other")] == [1, 1, 1]
