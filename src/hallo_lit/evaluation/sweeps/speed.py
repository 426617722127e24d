"""A row of seconds and memory: `hallo-lit bench` in a process of its own, so that memory is this row's alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hallo_lit.errors import UserError
from hallo_lit.evaluation.row import Row

HEADER = ("size", "steps", "passes per step", "device", "torch")


def measure(name: str, words: Sequence[str], frames: int) -> tuple[Row, dict[str, str]]:
    """One clip of `frames` frames with the settings of `words`; the row, and what it was measured with.

    Raises:
        UserError: what `bench` said.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "bench.json"
        command = [sys.executable, "-m", "hallo_lit.cli", "bench", *words, f"frames={frames}", f"out={out}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode or not out.is_file():
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(f"bench {' '.join(words)}: {said.removeprefix('hallo-lit: ')}")
        figures = json.loads(out.read_text(encoding="utf-8"))
    seconds = figures["seconds"]
    values = {
        "seconds_per_frame": seconds["clip"] / frames,
        "seconds_per_clip": seconds["clip"],
        "seconds_per_step": seconds["step"],
        "seconds_prepare": seconds["prepare"],
        "memory_gb": figures["peak memory GB"],
        "million_parameters": figures["million parameters"],
        "load": os.getloadavg()[0],  # above the number of cores, seconds tell about the machine and not about the model
    }
    if figures["GFLOPs per pass"] is not None:
        values["gflops"] = figures["GFLOPs per pass"]
    row = Row(name, values, counted=1, total=1)
    return row, {key: f"{figures[key]}" for key in HEADER if key != "size"}
