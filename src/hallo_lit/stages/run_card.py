"""What a model card says about how a run went, and those before it, from the runs' own files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hallo_lit.errors import UserError
from hallo_lit.stages.checkpoint import FOLDER, Checkpoint, checkpoint_in, is_checkpoint, read_checkpoint
from hallo_lit.weights.card import CARD
from hallo_lit.weights.hub import local_folder

LOGS = "logs"  # of a run with logger=csv
TABLE = "metrics.csv"
SHOWN = 10  # points of the curve


def run_card(checkpoint: Checkpoint) -> str:
    """Markdown: what was trained, how long and from what, its curve where the run kept one; then the same of the runs
    and bundles that it began from, where they are still there."""
    config, init = checkpoint.config, checkpoint.config.get("init") or {}
    before = [_before(str(source)) for source in init.get("weights") or ()]
    curve = _curve(checkpoint.path.parent.parent / LOGS) if checkpoint.path.parent.name == FOLDER else []
    about = {
        "stage": checkpoint.stage,
        "steps": checkpoint.step,
        "begun from": ", ".join(name for name, _ in before) or "nothing",
        "seed": config.get("seed"),
        "torch": checkpoint.torch,
    }
    if curve:
        about["CPU hours"] = f"{curve[-1][2]:.2f}"
    lines = [f"## Training: {config.get('name', checkpoint.stage)}", ""]
    lines += [f"- {key}: {value}" for key, value in about.items()]
    if curve:
        lines += ["", "| step | mean loss since | CPU hours |", "|---|---|---|"]
        lines += [f"| {step} | {loss:.4f} | {hours:.2f} |" for step, loss, hours in curve]
    whole = "\n\n".join(["\n".join(lines), *(told for _, told in before if told)])
    return "\n\n".join(dict.fromkeys(_sections(whole)))  # sources may have the same past


def keep_curve(run: Path) -> None:
    """Puts the table of an interrupted run aside, which the logger of its next call would delete."""
    table = run / LOGS / TABLE
    if table.is_file():
        number = 1 + sum(1 for _ in table.parent.glob(f"{table.stem}_*.csv"))
        table.rename(table.with_name(f"{table.stem}_{number:03d}.csv"))


def _before(source: str) -> tuple[str, str]:
    """Name and card of a run or bundle; no card where nothing more is known of it."""
    path = checkpoint_in(Path(source))
    if is_checkpoint(path):
        checkpoint = read_checkpoint(path)
        return str(checkpoint.config.get("name", checkpoint.stage)), run_card(checkpoint)
    try:
        card = (local_folder(source) / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeError, UserError):
        return Path(source).name, ""
    return Path(source).name, "\n\n".join(_sections(card))


def _sections(card: str) -> Iterator[str]:
    """The sections of a card that tell of its training."""
    for section in re.split(r"^(?=## )", card, flags=re.MULTILINE)[1:]:
        if section.startswith("## Training"):
            yield section.strip()


def _curve(logs: Path) -> Sequence[tuple[int, float, float]]:
    """(step, mean loss since the row before, CPU hours so far); empty where the run kept no such table."""
    rows: list[dict[str, str]] = []
    for table in sorted(logs.glob(f"{Path(TABLE).stem}_*.csv")) + [logs / TABLE] * (logs / TABLE).is_file():
        with table.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
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
