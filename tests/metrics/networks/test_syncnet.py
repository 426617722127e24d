from __future__ import annotations

import pytest
import torch

from hallo_lit.metrics.networks import syncnet


def test_syncnet_has_the_size_and_the_numbering_of_its_file():
    with torch.device("meta"):
        network = syncnet.SyncNet().eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(13.63e6, rel=1e-3)
    convolutions = {
        int(name.split(".")[1]) for name in network.state_dict() if name.startswith("netcnnaud") and "bias" in name
    }
    assert convolutions == {0, 1, 4, 5, 8, 9, 11, 12, 14, 15, 18, 19}
    assert network.lips(torch.zeros(2, 3, 5, 224, 224, device="meta")).shape == (2, 1024)
    assert network.audio(torch.zeros(2, 1, 13, 20, device="meta")).shape == (2, 1024)
