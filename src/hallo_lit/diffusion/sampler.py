"""From noise to latents: a function of a `denoise` callable, with diffusers' solvers inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler
from torch import Tensor

from hallo_lit.diffusion.guidance import Guidance
from hallo_lit.diffusion.process import Denoise as Denoise
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.errors import UserError
from hallo_lit.structs import Conditioning

SOLVERS: dict[str, tuple[type, dict[str, Any]]] = {
    "ddim": (DDIMScheduler, {"clip_sample": False, "steps_offset": 1}),
    "dpm": (DPMSolverMultistepScheduler, {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "unipc": (UniPCMultistepScheduler, {"solver_order": 2}),
}


@dataclass(frozen=True)
class Sampler:
    """solver: ddim (the original's), dpm (DPM-Solver++ 2M, arXiv 2211.01095) or unipc (arXiv 2302.04867)."""

    solver: str = "ddim"
    steps: int = 40

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise UserError(f"sampler.solver={self.solver} is not known; choose one of {', '.join(SOLVERS)}.")
        if self.steps < 1:
            raise UserError(f"sampler.steps={self.steps}: at least one step is needed.")

    def scheduler(self, process: NoiseProcess) -> Any:
        """A fresh diffusers scheduler; multistep solvers remember, so every clip needs its own."""
        kind, options = SOLVERS[self.solver]
        scheduler = kind(**process.scheduler_config(), **options)
        scheduler.set_timesteps(self.steps)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(0)  # spares a search that would wait for the GPU at every step
        return scheduler


def sample_clip(
    denoise: Denoise,
    noise: Tensor,
    scheduler: Any,
    guidance: Guidance,
    given: Conditioning,
    nulls: Sequence[Conditioning],
    on_step: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Latents (b, f, c, h, w) of a clip from `noise` of the same shape.

    `nulls` are the conditionings of `guidance.nulls`, in order. `on_step(timestep, latents)` sees every step.
    """
    x = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps.tolist():
        prediction = guidance(_at(denoise, x, t), t, given, nulls)
        x = scheduler.step(prediction, t, x, return_dict=False)[0].to(x.dtype)
        if on_step is not None:
            on_step(t, x)
    return x


def _at(denoise: Denoise, x: Tensor, t: int) -> Callable[[Conditioning], Tensor]:
    timestep = torch.full((len(x),), t, device=x.device)
    return lambda cond: denoise(x, timestep, cond)
