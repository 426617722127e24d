from __future__ import annotations

import torch

from hallo_lit.metrics.networks import s3fd


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
