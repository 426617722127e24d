"""What became of every input: STORE/report.jsonl, one line each, and a table for the terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hallo_lit.data.atomic import replacing
from hallo_lit.data.preprocess.filters import KEPT, REJECTED, UNDECIDED

FILE = "report.jsonl"
Line = Mapping[str, Any]


def write_report(root: Path, lines: Iterable[Line]) -> Path:
    """Replaces the report as a whole; plain ASCII, so that names that are no valid Unicode survive."""
    path = root / FILE
    with replacing(path) as part, part.open("w", encoding="ascii") as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")
    return path


def read_report(root: Path) -> list[dict[str, Any]]:
    """The lines of the last run; an empty list when there was none. Damaged lines are left out."""
    try:
        text = (root / FILE).read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return [line for line in map(_parsed, text.splitlines()) if line is not None]


def _parsed(text: str) -> dict[str, Any] | None:
    """One line of the report; None when it lacks what a report is made of."""
    try:
        line = json.loads(text)
        words = [line["source"], line["path"], line["verdict"], *line["reasons"]]
        words += [line.get("content", ""), line.get("window", "")]
        for clip in line["clips"]:
            words += [clip["id"], clip["verdict"], *clip["reasons"]]
            _ = [float(value) for value in (clip["start"], clip["end"], *clip.get("measured", {}).values()) if value]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return line if all(isinstance(word, str) for word in words) else None


@dataclass(frozen=True)
class Summary:
    """Counts over a report; clips that several inputs share count once."""

    inputs: Counter[str]  # by verdict
    clips: Counter[str]
    seconds: float  # of the clips that are in the store
    reasons: Counter[str]  # of clips and inputs that are not, by what was measured


def summarise(lines: Sequence[Line]) -> Summary:
    clips = [clip for line in lines if "duplicate_of" not in line for clip in line["clips"]]
    seconds = sum(clip["end"] - clip["start"] for clip in clips if clip["verdict"] != REJECTED)
    lost = [reason for clip in clips if clip["verdict"] == REJECTED for reason in clip["reasons"]]
    lost += [reason.replace(line["path"], "it") for line in lines if not line["clips"] for reason in line["reasons"]]
    reasons = Counter(_kind(reason) for reason in lost)
    return Summary(Counter(line["verdict"] for line in lines), Counter(c["verdict"] for c in clips), seconds, reasons)


def counts(summary: Summary) -> list[tuple[str, str, str]]:
    """Rows of verdict, inputs, clips, with a head and a sum."""
    names = [KEPT, UNDECIDED, REJECTED, *sorted(set(summary.inputs) - {KEPT, UNDECIDED, REJECTED})]
    body = [(name, str(summary.inputs[name]), str(summary.clips[name])) for name in names]
    return [("", "inputs", "clips"), *body, ("all", str(summary.inputs.total()), str(summary.clips.total()))]


def reasons(summary: Summary, most: int = 12) -> list[tuple[str, str]]:
    """How often, and what for, most frequent first; an entry may have several reasons."""
    return [(str(count), reason) for reason, count in summary.reasons.most_common(most)]


def table(summary: Summary) -> str:
    """A few aligned lines for a terminal."""
    lines = [f"{name:<12}{inputs:>8}{clips:>8}" for name, inputs, clips in counts(summary)]
    lines.append(f"{summary.seconds:.1f} s in the store")
    if summary.reasons:
        lines += ["", "why not:", *(f"{count:>6}  {reason}" for count, reason in reasons(summary))]
    return "\n".join(lines)


def _kind(reason: str) -> str:
    """A reason without the numbers of one video."""
    return " ".join("n" if any(c.isdigit() for c in word) else word for word in reason.split(" (")[0].split())
