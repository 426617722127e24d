from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from hallo_lit.metrics.networks import i3d


def test_i3d_has_the_size_of_its_file_and_needs_nine_frames():
    with torch.device("meta"):
        network = i3d.I3D().eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(12.70e6, rel=1e-3)
    assert len(network.state_dict()) == 344
    assert network(torch.zeros(1, 3, i3d.SHORTEST, 224, 224, device="meta")).shape == (1, 400)
    with pytest.raises(RuntimeError):
        network(torch.zeros(1, 3, i3d.SHORTEST - 1, 224, 224, device="meta"))


@pytest.mark.parametrize("size", [7, 8, 9])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_padding_keeps_the_ceiling_of_the_size(size: int, stride: int):
    padded = i3d.pad_same(torch.ones(1, 1, size, size, size), (3, 3, 3), (stride,) * 3)
    assert F.max_pool3d(padded, 3, stride).shape[2:] == (-(-size // stride),) * 3


def test_an_odd_padding_goes_to_the_end():
    padded = i3d.pad_same(torch.ones(1, 1, 8, 1, 1), (3, 1, 1), (2, 1, 1))
    assert padded.flatten().tolist() == [1] * 8 + [0]
