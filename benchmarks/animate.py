"""Speed and memory of animating: `python benchmarks/animate.py step|long|demo [--out FILE]`.

step   one guided step, codec and ReferenceNet per setting, each in a process of its own; CPU settings, and GPU ones
       where there is a GPU. The original's seconds on two CPU cores (fp32, same widths, same tensors) stand beside.
long   peak memory of `hallo-lit animate` for 10, 60 and 600 s of sound with the tiny model and one sampling step.
demo   wall time and peak memory of what `make demo` runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
RELEASED = ["model=hallo_released", "motion_frames=2", "guidance=joint", "process=released"]
SMALL = [*RELEASED, "size.height=256", "size.width=256", "frames=4"]
LARGE = [*RELEASED, "size.height=512", "size.width=512", "frames=2"]
GPU = [*RELEASED, "size.height=512", "size.width=512", "frames=16", "device=cuda", "precision=bf16"]
ONE_STEP = ["sampler.steps=1", "device=cpu", "flops=false", "warm_up=false", "clips=1"]
TWO_STEPS = ["sampler.steps=2", "device=cpu", "flops=false", "warm_up=false", "clips=1"]

# The original on two CPU cores in fp32 at Stable Diffusion 1.5 size: seconds per guided step, per ReferenceNet pass and
# per decoded frame (hallo 8fd7c57, its own modules, torch's SDPA), recorded once on a machine of the same kind.
ORIGINAL = {"256x256, 4 frames": (25.9, 9.0, 4.1), "512x512, 2 frames": (68.0, 41.0, 19.5)}
SETTINGS: dict[str, tuple[list[str], str | None]] = {
    "tiny fp32": (["model=tiny", "sampler.steps=4", "device=cpu"], None),
    "256x256, 4 frames, fp32": ([*SMALL, *TWO_STEPS], "256x256, 4 frames"),
    "256x256, 4 frames, bf16": ([*SMALL, *TWO_STEPS, "precision=bf16"], "256x256, 4 frames"),
    "512x512, 2 frames, fp32": ([*LARGE, *TWO_STEPS], "512x512, 2 frames"),
    "512x512, 2 frames, bf16": ([*LARGE, *TWO_STEPS, "precision=bf16"], "512x512, 2 frames"),
}
GPU_SETTINGS = {
    "512x512, 16 frames, bf16, GPU": ([*GPU, "sampler.steps=40"], None),
    "512x512, 16 frames, bf16, GPU, compiled": ([*GPU, "sampler.steps=40", "compile=true"], None),
}


def bench(overrides: list[str]) -> dict[str, Any]:
    """`hallo-lit bench` in a process of its own, so that peaks do not mix."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "hallo_lit.cli", "bench", *overrides, f"out={out}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def steps(only: str) -> list[dict[str, Any]]:
    """One row per setting whose name contains `only`."""
    settings = {**SETTINGS, **(GPU_SETTINGS if torch.cuda.is_available() else {})}
    rows = []
    for name, (overrides, reference) in settings.items():
        if only not in name:
            continue
        figures = bench(overrides)
        seconds, frames = figures["seconds"], int(figures["size"].split(", ")[1].split()[0])
        row: dict[str, Any] = {"setting": name, **figures}
        row["per frame"] = {phase: round(value / frames, 4) for phase, value in seconds.items()}
        if reference is not None:
            step, _, decode = ORIGINAL[reference]
            row["step / original's"] = round(seconds["step"] / step, 3)
            row["decode / original's"] = round(seconds["decode"] / frames / decode, 3)
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def animate(audio: Path, *overrides: str) -> dict[str, Any]:
    """One call of `hallo-lit animate`: wall seconds, peak resident memory, and what it says of its phases."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mp4"
        words = ["animate", str(SAMPLES / "portrait.png"), str(audio), str(out), *overrides]
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "hallo_lit.cli", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            said = process.stdout.read() if process.stdout else ""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"hallo-lit {' '.join(words)} ended with status {process.returncode}")
        size = out.stat().st_size
    return {
        "wall seconds": round(time.perf_counter() - began, 1),
        "peak memory MB": round(usage.ru_maxrss / 1024),
        "file MB": round(size / 1e6, 1),
        "phases": said.strip().split("(", 1)[-1].rstrip(")"),
    }


def long(only: str) -> list[dict[str, Any]]:
    """The same short portrait with ever longer sound; the tiny model, one sampling step, one pass."""
    rows = []
    for seconds in (10, 60, 600):
        if only and only != str(seconds):
            continue
        with tempfile.TemporaryDirectory() as folder:
            audio = Path(folder) / "speech.wav"
            repeat_speech(audio, seconds)
            row = {"seconds of sound": seconds, **animate(audio, "sampler.steps=1", "guidance=none", "crop=face")}
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def repeat_speech(path: Path, seconds: int) -> None:
    import soundfile

    wave, rate = soundfile.read(SAMPLES / "speech.wav", dtype="float32")
    soundfile.write(path, np.resize(wave, seconds * rate), rate, subtype="PCM_16")


def demo(only: str) -> list[dict[str, Any]]:
    row = {"what": "demo", **animate(SAMPLES / "speech.wav", "preset=fast")}
    print(json.dumps(row), flush=True)
    return [row]


def table(rows: list[dict[str, Any]]) -> None:
    flat = [{k: json.dumps(v) if isinstance(v, dict) else str(v) for k, v in row.items()} for row in rows]
    shown = Table(*flat[0], box=None, header_style="bold")
    for row in flat:
        shown.add_row(*(row.get(key, "") for key in flat[0]))
    Console(width=240).print(shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("step", "long", "demo"))
    parser.add_argument("--only", default="", help="settings whose name contains this; seconds for long")
    parser.add_argument("--out", type=Path, help="also write the rows to this JSON file")
    given = parser.parse_args()
    rows = {"step": steps, "long": long, "demo": demo}[given.what](given.only)
    if given.out is not None:
        given.out.write_text(json.dumps(rows, indent=1) + "\n")
    table(rows)


if __name__ == "__main__":
    main()
