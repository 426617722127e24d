from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hallo_lit.metrics.networks.inception import FidInception


@pytest.fixture(scope="session")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the shape of the FID file."""
    torch.manual_seed(0)
    network = FidInception()
    for parameter in network.parameters():
        if parameter.ndim == 4:  # the usual start lets activations die out in a network this deep
            nn.init.normal_(parameter, std=(2 / parameter[0].numel()) ** 0.5)
    path = tmp_path_factory.mktemp("weights") / "inception.safetensors"
    save_file({name: value.clone() for name, value in network.state_dict().items()}, path)
    return path
