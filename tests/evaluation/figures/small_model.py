"""A model so small that a film takes a moment; its fusions are redrawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from hallo_lit.animation.animator import Animator
from hallo_lit.animation.building import from_config
from hallo_lit.cli.compose import compose, plain

SAMPLES = Path(__file__).parents[3] / "data" / "samples"
SMALL = (
    "model=tiny",
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
    "sampler.steps=2",
    "guidance=audio",
    "device=cpu",
)


def small(*overrides: str) -> tuple[Animator, dict[str, Any]]:
    """Fusions and the last layer redrawn, so that sound shows in the pictures."""
    config = plain(compose("animate", *SMALL, *overrides))
    made = from_config(config)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in made.hallo.denoiser.named_parameters():
        if "fusion" in name or "conv_out" in name:
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return made, config
