"""What a training step costs: `python benchmarks/training.py measure|count [--only WORD] [--out FILE.json]`.

measure  seconds and memory of a step of stage 1 (appearance) and 2 (motion): latents from the store; pixels, which the
         VAE encodes in every step; the original's way, where wav2vec 2.0 works in every step, too; then checkpointing,
         bf16 and compile. All in one process, as ratios to the original's way. Small widths on a CPU, where seconds are
         those of the processor (one thread, so other programs hardly matter); Stable Diffusion's widths on a GPU.
count    memory and operations of a step at Stable Diffusion 1.5 size, 512 x 512, one clip per device, without computing
         a value: weights, gradients, optimiser states and everything that is alive at once are added up.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch._subclasses import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from training_step import FLOPS, LiveBytes, Step

SMALL = [
    *("size.height=128", "size.width=128", "frames=6", "size.unet.channels=[64,128,256,256]", "size.unet.heads=4"),
    *("size.unet.context_dim=192", "size.codec.channels=[32,64,128,128]", "size.locator_widths=[8,16,32,64]"),
    *("size.audio_dim=192", "size.audio_hidden=128", "size.temporal_heads=4", "audio_encoder.width=192"),
]
STAGES = {"appearance": ["frames=1", "motion_frames=0"], "motion": []}
CHECKPOINTING = ["model.denoiser.checkpointing=true", "model.reference_net.checkpointing=true"]
# name -> overrides, source of the frames, bf16, compile
SETTINGS: dict[str, tuple[list[str], str, bool, bool]] = {
    "the original's way": ([], "original", False, False),
    "pixels, VAE in the step": ([], "pixels", False, False),
    "cached latents": ([], "latents", False, False),
    "cached, checkpointing": (CHECKPOINTING, "latents", False, False),
    "cached, bf16": ([], "latents", True, False),
    "cached, compile": ([], "latents", False, True),
}
COUNTED: dict[str, tuple[str, list[str], str, bool]] = {
    "fp32, pixels": ("both", [], "pixels", False),
    "fp32, cached latents": ("both", [], "latents", False),
    "bf16": ("both", [], "latents", True),
    "bf16, checkpointing": ("both", CHECKPOINTING, "latents", True),
    "LoRA, bf16, checkpointing": ("identity", CHECKPOINTING, "latents", True),
}
GB = 1e9


def measure(only: str, device: str, steps: int) -> list[dict[str, Any]]:
    rows = []
    for stage, words in STAGES.items():
        for name, (more, source, bf16, compiled) in SETTINGS.items():
            if only not in f"{stage} {name}":
                continue
            size = [] if device == "cuda" else SMALL
            step = Step(stage, [*size, *words, *more], source, 1 if stage == "motion" else 4, device, bf16)
            memory = None if compiled and device == "cpu" else peak(step, device)
            if compiled:
                step.stage.network.denoiser.compile()
            step()  # compiles, and makes the optimiser's states
            seconds = median(timed(step, device) for _ in range(steps))
            row = {"stage": stage, "setting": name, "seconds": round(seconds, 3)}
            rows.append({**row, "peak MB": None if memory is None else round(memory / 1e6)})
            print(json.dumps(rows[-1]), flush=True)
    for row in rows:
        base = next((r for r in rows if r["stage"] == row["stage"]), row)
        row["time ratio"] = round(row["seconds"] / base["seconds"], 2)
        row["memory ratio"] = None if row["peak MB"] is None else round(row["peak MB"] / base["peak MB"], 2)
    return rows


def timed(step: Step, device: str) -> float:
    clock = time.process_time if device == "cpu" else time.perf_counter
    began = clock()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - began


def state_bytes(step: Step) -> dict[str, int]:
    """What a run holds between its steps; AdamW keeps two numbers for each that trains."""
    trained = sum(p.numel() * p.element_size() for p in step.trained)
    weights = sum(p.numel() * p.element_size() for p in step.stage.parameters())
    return {"weights": weights, "gradients": trained, "optimizer": 2 * trained}


def peak(step: Step, device: str) -> int:
    """Bytes at most, weights and optimiser states included."""
    if device == "cuda":
        step()
        torch.cuda.reset_peak_memory_stats()
        step()
        return int(torch.cuda.max_memory_allocated())
    step()
    with LiveBytes() as live:
        step()
    held = state_bytes(step)
    return held["weights"] + held["optimizer"] + live.peak


def count(only: str) -> list[dict[str, Any]]:
    rows = []
    for name, (which, words, source, bf16) in COUNTED.items():
        for stage in [*STAGES] if which == "both" else [which]:
            if only not in f"{stage} {name}":
                continue
            rows.append({"stage": stage, "setting": name, **counted(stage, words, source, bf16)})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def counted(stage: str, words: Sequence[str], source: str, bf16: bool) -> dict[str, Any]:
    """GB and TFLOP of a step whose tensors have shapes and no values."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        step = Step(stage, [*STAGES.get(stage, []), *words], source, 1, "cpu", bf16)
        held = state_bytes(step)
        flops = FlopCounterMode(display=False, custom_mapping=FLOPS)
        with LiveBytes() as live:
            loss = step.loss()
            kept = live.now
            loss.backward()
        del loss
        with flops:  # not in the same pass: its hooks keep alive what checkpointing lets go
            step.loss().backward()
    total = held["weights"] + held["optimizer"] + live.peak
    figures = {**held, "kept for backward": kept, "peak in all": total}
    eight = total - held["optimizer"] * 3 // 4
    return {
        **{f"{key} GB": round(value / GB, 2) for key, value in figures.items()},
        "peak with adamw_8bit GB": round(eight / GB, 2),
        "TFLOP": round(flops.get_total_flops() / 1e12, 1),
    }


def table(rows: list[dict[str, Any]]) -> None:
    shown = Table(*rows[0], box=None, header_style="bold")
    for row in rows:
        shown.add_row(*("-" if value is None else str(value) for value in row.values()))
    Console(width=200).print(shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("measure", "count"))
    parser.add_argument("--only", default="", help="rows whose stage and setting contain this")
    parser.add_argument("--steps", type=int, default=3, help="timed steps per row; their median counts")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda"))
    parser.add_argument("--out", type=Path, help="also write the rows to this JSON file")
    given = parser.parse_args()
    if given.device == "cpu":
        torch.set_num_threads(1)
    rows = count(given.only) if given.what == "count" else measure(given.only, given.device, given.steps)
    if not rows:
        parser.error(f"no row contains {given.only!r}")
    if given.out is not None:
        given.out.write_text(json.dumps(rows, indent=1) + "\n")
    table(rows)


if __name__ == "__main__":
    main()
