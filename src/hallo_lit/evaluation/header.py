"""What stands above every table: how the numbers came about, so that nobody compares what cannot be compared."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from hallo_lit import __version__
from hallo_lit.evaluation.cases import Case
from hallo_lit.evaluation.row import Row
from hallo_lit.metrics.base import VideoMetric


def header_of(
    config: Mapping[str, Any], cases: Sequence[Case], metrics: Mapping[str, VideoMetric], rows: Sequence[Row]
) -> dict[str, str]:
    """One line per subject."""
    found = {
        "test set": f"{len(cases)} clips of {config['cases'].get('folder', 'the test set')}",
        "program": f"hallo_lit {__version__}, torch {torch.__version__}, {platform.machine()}, {config['device']}",
    }
    for row in rows:
        if made := [text for name, text in row.facts.items() if name != "videos"]:
            found[row.name] = ", ".join(made)
    settings = config["bootstrap"]
    found["brackets"] = f"{settings['level']:.0%} intervals over clips, {settings['resamples']} draws"
    for key, metric in metrics.items():
        if metric.skipped is None:
            found[key] = metric.protocol
    for metric in metrics.values():
        found |= {name: f"sha256 {digest}" for name, digest in metric.hashes.items()}
    found |= {f"{key}, skipped": metric.skipped for key, metric in metrics.items() if metric.skipped is not None}
    for row in rows:
        found |= {f"{row.name}, note {i}": note for i, note in enumerate(row.notes, 1)}
        if left := [item for item in row.items if not item.counted]:
            reason = next(iter(left[0].remarks.values()), "no metric ran")
            found[f"{row.name}, not counted"] = f"{len(left)} of {row.total} clips, e.g. {left[0].name}: {reason}"
    return found
