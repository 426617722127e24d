"""Rows of a sweep without any model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hallo_lit.evaluation.row import Row
from hallo_lit.evaluation.sweeps.results import Result

COLUMNS = {"psnr": "PSNR ↑", "jitter": "jitter ↓"}


def result(words: Sequence[str], common: str = "same", **values: float) -> Result:
    row = Row(",".join(words), values, counted=3, total=4)
    return Result(list(words), "settings", common, row, COLUMNS, {"test set": "4 clips", row.name: "seed 0"})


def three_seeds(folder: Path, means: Mapping[str, float]) -> Path:
    """fusion=NAME with PSNR around `means`, seeds 0 to 2."""
    for name, mean in means.items():
        for seed in range(3):
            made = result([f"seed={seed}", f"fusion={name}"], psnr=mean + 0.1 * (seed - 1), jitter=1.0)
            made.save(folder)
    return folder
