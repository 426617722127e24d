from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hallo_lit.weights.check import networks_of
from hallo_lit.weights.contents import WAVE
from hallo_lit.weights.encoders import wave_shapes
from hallo_lit.weights.matching import Networks

from . import configs, foreign


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """A resolved configuration of the released layout at tiny widths."""
    return configs.tiny()


@pytest.fixture(scope="session")
def networks(tiny: dict[str, Any]) -> Networks:
    """Keys and shapes of the tiny model's parts, and of a tiny wav2vec 2.0."""
    return {**networks_of(tiny), WAVE: wave_shapes(configs.WAVE)}


@pytest.fixture(scope="session")
def published(networks: Networks) -> Mapping[str, dict[str, Tensor]]:
    """source -> a random file of that kind, key for key as published, that fits `networks`."""
    generator = torch.Generator().manual_seed(1)
    names = ("hallo", "sd15-unet", "animatediff-v2", "sd-vae-ft-mse", "wav2vec2-base-960h")
    return {name: foreign.state(name, networks, generator) for name in names}


@pytest.fixture
def files(published: Mapping[str, dict[str, Tensor]], tmp_path: Path) -> dict[str, Path]:
    """The same as torch files, under names that give nothing away."""
    made = {}
    for number, (name, state) in enumerate(published.items()):
        made[name] = tmp_path / f"{number}.bin"
        torch.save(state, made[name])
    return made
