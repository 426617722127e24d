"""Networks at random weights: sizes, names of the files' parameters, and what padding and pooling do."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hallo_lit.metrics.networks import expression, i3d, s3fd, syncnet


def meta(make) -> nn.Module:
    with torch.device("meta"):
        return make().eval()


def names(network: nn.Module) -> set[str]:
    return set(network.state_dict())


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_syncnet_has_the_size_and_the_numbering_of_its_file():
    network = meta(syncnet.SyncNet)
    assert isinstance(network, syncnet.SyncNet)
    assert parameters(network) == pytest.approx(13.63e6, rel=1e-3)
    convolutions = {
        int(name.split(".")[1]) for name in names(network) if name.startswith("netcnnaud") and "bias" in name
    }
    assert convolutions == {0, 1, 4, 5, 8, 9, 11, 12, 14, 15, 18, 19}
    assert network.lips(torch.zeros(2, 3, 5, 224, 224, device="meta")).shape == (2, 1024)
    assert network.audio(torch.zeros(2, 1, 13, 20, device="meta")).shape == (2, 1024)


def test_i3d_has_the_size_of_its_file_and_needs_nine_frames():
    network = meta(i3d.I3D)
    assert parameters(network) == pytest.approx(12.70e6, rel=1e-3)
    assert len(names(network)) == 344
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


def test_expression_codes_are_columns_80_to_143():
    torch.manual_seed(0)
    network = expression.ReconNet().eval()
    with torch.no_grad():
        image = torch.rand(1, 3, 64, 64)
        assert network(image).shape == (1, 257)
        assert torch.equal(network.expression(image), network(image)[:, 80:144])
    assert {name.split(".")[0] for name in names(network)} == {"backbone", "final_layers"}


def test_s3fd_has_one_square_anchor_per_cell():
    torch.manual_seed(0)
    network = s3fd.S3FD().eval()
    with torch.no_grad():
        loc, conf, anchors = network(torch.zeros(1, 3, 64, 96))
    assert (
        loc.shape[1]
        == conf.shape[1]
        == len(anchors)
        == sum((64 // s or 1) * (96 // s or 1) for s in (4, 8, 16, 32)) + 3
    )
    assert torch.allclose(anchors[0], torch.tensor([2 / 96, 2 / 64, 16 / 96, 16 / 64]))
    assert torch.allclose(conf.sum(-1), torch.ones(()))
    corners = s3fd.decode(torch.zeros(1, 4), torch.tensor([[0.5, 0.5, 0.2, 0.4]]))
    assert torch.allclose(corners, torch.tensor([[0.4, 0.3, 0.6, 0.7]]))
