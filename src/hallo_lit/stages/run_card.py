"""What a model card says about how a run went, from the run's own files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import torch

from hallo_lit.stages.checkpoint import FOLDER, Checkpoint

TABLE = Path("logs") / "metrics.csv"  # of a run with logger=csv
SHOWN = 10  # points of the curve


def run_card(checkpoint: Checkpoint) -> str:
    """Markdown: what was trained how long and from what, and its curve where the run kept one."""
    config, init = checkpoint.config, checkpoint.config.get("init") or {}
    curve = _curve(checkpoint.path.parent.parent / TABLE) if checkpoint.path.parent.name == FOLDER else []
    about = {
        "stage": checkpoint.stage,
        "steps": checkpoint.step,
        "begun from": ", ".join(Path(str(source)).name for source in init.get("weights") or ()) or "nothing",
        "seed": config.get("seed"),
        "torch": torch.__version__,
    }
    if curve:
        about["CPU hours"] = f"{curve[-1][2]:.2f}"
    lines = [f"## Training: {config.get('name', checkpoint.stage)}", ""]
    lines += [f"- {key}: {value}" for key, value in about.items()]
    if curve:
        lines += ["", "| step | mean loss since | CPU hours |", "|---|---|---|"]
        lines += [f"| {step} | {loss:.4f} | {hours:.2f} |" for step, loss, hours in curve]
    return "\n".join(lines)


def _curve(table: Path) -> Sequence[tuple[int, float, float]]:
    """(step, mean loss since the row before, CPU hours so far); empty where the run kept no such table."""
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    hours = {int(row["step"]): float(row["cpu_hours"]) for row in rows if row.get("cpu_hours")}
    losses = {int(row["step"]): float(row["train/loss"]) for row in rows if row.get("train/loss")}
    steps, before = sorted(hours), -1
    if len(steps) > SHOWN:
        steps = [steps[round((k + 1) * len(steps) / SHOWN) - 1] for k in range(SHOWN)]
    curve = []
    for step in steps:
        since = [loss for at, loss in losses.items() if before < at <= step]
        if since:
            curve.append((step, sum(since) / len(since), hours[step]))
        before = step
    return curve
