"""The random numbers of a step: made from what is drawn, for which sample, at which step, and from nothing else.

So a resumed run repeats the uninterrupted one, and any number of ranks draws what a single process would.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hallo_lit.data.seeding import seed_of
from hallo_lit.diffusion.process import Noised
from hallo_lit.stages.objective import Process
from hallo_lit.structs import Drop, DropRates


class Streams:
    """Generators of one step: one per purpose and sample, so that no draw shifts another."""

    def __init__(self, seed: int, step: int, samples: Tensor) -> None:
        """samples: (b,) global sample indices."""
        self.seed, self.step, self.samples = seed, step, samples.tolist()

    def of(self, purpose: str) -> list[torch.Generator]:
        """CPU generators, one per sample."""
        seeds = [seed_of(purpose, self.seed, self.step, sample) for sample in self.samples]
        return [torch.Generator().manual_seed(seed) for seed in seeds]

    def normal(self, purpose: str, like: Tensor) -> Tensor:
        """Standard normal numbers for a tensor (b, ...), on its device."""
        drawn = [torch.randn(like.shape[1:], generator=generator) for generator in self.of(purpose)]
        return torch.stack(drawn).to(like)

    def uniform(self, purpose: str, like: Tensor) -> Tensor:
        """Numbers in [0, 1) for a tensor (b, ...), on its device."""
        drawn = [torch.rand(like.shape[1:], generator=generator) for generator in self.of(purpose)]
        return torch.stack(drawn).to(like)

    def noised(self, process: Process, latents: Tensor) -> Noised:
        """Timesteps and noise for latents (b, f, c, h, w)."""
        rows = zip(latents.split(1), self.of("noise"), strict=True)
        drawn = [process.draw(row, generator) for row, generator in rows]
        return Noised(*(torch.cat([getattr(d, name) for d in drawn]) for name in ("x", "timestep", "target", "weight")))

    def drop(self, rates: DropRates) -> Drop:
        """Which conditions each clip loses."""
        return Drop.cat([Drop.sample(1, rates, generator) for generator in self.of("drop")])
