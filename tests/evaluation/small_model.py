"""A model so small that a film takes a moment, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from hallo_lit.animation.animator import Animator
from hallo_lit.cli.compose import compose, plain
from hallo_lit.evaluation.running import animator_of

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
SMALL = (
    "model=tiny",
    "weights=null",
    "audio_encoder=log_mel",
    "size.height=32",
    "size.width=32",
    "size.unet.channels=[16,16]",
    "size.unet.heads=2",
    "size.unet.groups=4",
    "size.codec.channels=[4,8,8]",
    "size.codec.groups=2",
    "size.temporal_heads=2",
    "size.temporal_groups=4",
    "frames=4",
    "sampler.steps=1",
    "guidance=none",
    "device=cpu",
)


def small_config(*overrides: str) -> dict[str, Any]:
    """Settings of `hallo-lit evaluate` for the small model."""
    config: dict[str, Any] = plain(compose("evaluate", *SMALL, *overrides))
    return config


def lively(*overrides: str) -> tuple[Animator, dict[str, Any]]:
    """The small model with fusions and last layer redrawn, so that sound shows in the pictures; and its settings."""
    config = small_config(*overrides)
    made = animator_of(config)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in made.hallo.denoiser.named_parameters():
        if "fusion" in name or "conv_out" in name:
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return made, config
