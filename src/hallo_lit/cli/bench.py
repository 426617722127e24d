"""`hallo-lit bench`: one clip of made-up inputs, timed phase by phase. Faces, sound and files are not part of it."""

from __future__ import annotations

import json
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from hallo_lit.animation.devices import pick_device, pick_precision
from hallo_lit.animation.video_generator import Recipe, VideoGenerator
from hallo_lit.blocks.kernels import use_attention
from hallo_lit.cli.compose import build_model, instantiate
from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.guidance import NoGuidance
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.errors import UserError
from hallo_lit.structs import Portrait


def run(cfg: DictConfig) -> None:
    for name in ("frames", "motion_frames", "clips"):
        if cfg[name] < 1:
            raise UserError(f"{name}={cfg[name]}: at least 1 is needed.")
    if cfg.threads is not None:
        torch.set_num_threads(cfg.threads)
    figures = measure(cfg)
    table = Table("phase", "seconds", "per frame", box=None, header_style="bold", pad_edge=False)
    for name, seconds in figures["seconds"].items():
        table.add_row(name, f"{seconds:.3f}", f"{seconds / cfg.frames:.4f}")
    Console().print(table)
    for name, value in figures.items():
        if name != "seconds":
            print(f"{name}: {value}")
    if cfg.out is not None:
        Path(cfg.out).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measure(cfg: DictConfig) -> dict[str, Any]:
    """Seconds by phase, and what they were measured with.

    `prepare` happens once per video, `condition` and `decode` once per clip, `step` once per sampling step.
    """
    device = pick_device(cfg.device)
    torch.manual_seed(cfg.seed)
    hallo = build_model(cfg).eval().to(device, pick_precision(cfg.precision))
    _check_size(cfg, hallo)
    use_attention(hallo, cfg.attention, device)
    flops = _flops(cfg, hallo) if cfg.flops else None
    use_attention(hallo, cfg.attention, device)
    denoise = torch.compile(hallo) if cfg.compile else hallo
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    began = _now(device)
    generator = _generator(cfg, hallo, _recipe(cfg), denoise)
    prepare = _now(device) - began
    runs = [_clip(cfg, generator, device) for _ in range(cfg.clips + cfg.warm_up)]
    timed = runs[int(cfg.warm_up) :]
    seconds = {"prepare": prepare, **{phase: median(run[phase] for run in timed) for phase in timed[0]}}
    return {
        "seconds": seconds,
        "steps": generator.recipe.sampler.steps,
        "passes per step": generator.passes,
        "size": f"{cfg.size.width}x{cfg.size.height}, {cfg.frames} frames",
        "GFLOPs per pass": None if flops is None else round(flops / 1e9, 2),
        "million parameters": round(sum(p.numel() for p in hallo.parameters()) / 1e6, 2),
        "peak memory GB": round(_peak(device) / 1e9, 3),
        "device": f"{device}, {cfg.precision}, {cfg.attention}{', compiled' if cfg.compile else ''}",
        "torch": f"{torch.__version__}, {torch.get_num_threads()} threads",
    }


def _recipe(cfg: DictConfig) -> Recipe:
    return Recipe(
        process=instantiate(cfg.process),
        sampler=instantiate(cfg.sampler),
        guidance=instantiate(cfg.guidance),
        clip_frames=cfg.frames,
        motion_frames=cfg.motion_frames,
        decode_chunk=cfg.decode_chunk,
    )


def _generator(cfg: DictConfig, hallo: Hallo, recipe: Recipe, denoise: Any) -> VideoGenerator:
    height, width = cfg.size.height, cfg.size.width
    random = torch.Generator().manual_seed(cfg.seed)
    portrait = Portrait(
        pixels=torch.rand(3, height, width, generator=random) * 2 - 1,
        regions=torch.ones(3, height // hallo.codec.factor, width // hallo.codec.factor),
        locator=torch.ones(1, height, width),
        identity=torch.randn(hallo.identity_projection.proj.in_features, generator=random),
        box=(0, 0, width, height),
    )
    return VideoGenerator(hallo, recipe, portrait, instantiate(cfg.handover)(), random, denoise)


def _clip(cfg: DictConfig, generator: VideoGenerator, device: torch.device) -> dict[str, float]:
    """Seconds of one clip; `condition` is what the first step took longer than the others."""
    marks = [_now(device)]
    latents = generator.sample(_audio(cfg), on_step=lambda t, x: marks.append(_now(device)))
    generator.decode(latents)
    marks.append(_now(device))
    first, *others = (b - a for a, b in pairwise(marks[:-1]))
    step = median(others) if others else first
    whole, decode = marks[-1] - marks[0], marks[-1] - marks[-2]
    return {"condition": max(0.0, first - step), "step": step, "decode": decode, "clip": whole}


def _audio(cfg: DictConfig) -> Tensor:
    shape = (cfg.model.audio_projection[key] for key in ("window", "layers", "width"))
    return torch.randn(cfg.frames, *shape, generator=torch.Generator().manual_seed(cfg.seed))


def _flops(cfg: DictConfig, hallo: Hallo) -> int:
    """Operations of one pass of the denoiser over one clip; attention is counted as the matrix products it is."""
    use_attention(hallo, "math")
    recipe = Recipe(instantiate(cfg.process), Sampler(steps=1), NoGuidance(), clip_frames=cfg.frames)
    generator = _generator(cfg, hallo, recipe, hallo)
    with FlopCounterMode(display=False) as counter:
        generator.sample(_audio(cfg))
    return sum(counter.get_flop_counts()["Hallo.denoiser"].values())


def _check_size(cfg: DictConfig, hallo: Hallo) -> None:
    for name in ("height", "width"):
        if cfg.size[name] < hallo.pixel_multiple or cfg.size[name] % hallo.pixel_multiple:
            raise UserError(
                f"size.{name}={cfg.size[name]} must be a multiple of {hallo.pixel_multiple} for this model."
            )


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _peak(device: torch.device) -> float:
    """Bytes: allocated on the GPU, or the most that this process ever held."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
