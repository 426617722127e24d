"""Where initial latents come from: always the CPU, so that a seed means the same on every device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def draw_noise(shape: Sequence[int], generator: torch.Generator, half: bool = False) -> Tensor:
    """Normal noise of a CPU generator, fp32.

    half: the original's stream, drawn in fp16; up to torch 2.11 its values have 11-bit uniforms behind them, and with
    seed 42 it begins 0.38696, 1.47070, 0.14685, -1.11816.
    """
    return torch.randn(tuple(shape), generator=generator, dtype=torch.float16 if half else torch.float32).float()
