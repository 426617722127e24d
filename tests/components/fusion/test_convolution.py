"""The fusion whose convolutions start as ordinary ones."""

from __future__ import annotations

import torch

from hallo_lit.components.fusion.convolution import ConvolutionFusion
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from tiny_hallo import normal, uniform


@torch.no_grad()
def test_it_is_hierarchical_fusion_that_speaks_from_the_start() -> None:
    net, zero = ConvolutionFusion(8, 2, 6), HierarchicalFusion(8, 2, 6)
    given = normal(1, 2, 15, 8), normal(2, 2, 4, 6), uniform(3, 2, 3, 3, 5), torch.ones(3)
    heard = net(*given)
    assert heard.abs().max() > 1e-3
    zero.load_state_dict(net.state_dict())
    assert torch.equal(zero(*given), heard)
