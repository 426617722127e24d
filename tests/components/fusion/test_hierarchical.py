"""Hierarchical fusion against its formula."""

from __future__ import annotations

import torch

from hallo_lit.blocks.attention import attend
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from tiny_hallo import CLOSE, normal, redraw, uniform

DIM, HEADS, AUDIO, N, H, W = 8, 2, 6, 2, 3, 5


@torch.no_grad()
def test_each_region_is_attended_masked_convolved_and_weighed() -> None:
    """sum_r scale_r conv_r(mask_r attend_r(x, audio)): the bias of conv_r acts outside the mask, too."""
    net = redraw(HierarchicalFusion(DIM, HEADS, AUDIO))
    x, audio, masks = normal(1, N, H * W, DIM), normal(2, N, 4, AUDIO), uniform(3, N, 3, H, W)
    scale = torch.tensor([0.5, 1.0, 2.0])
    wanted = sum(
        scale[r] * net.zero_conv[r](attend(net.attn[r], x, audio) * masks[:, r].flatten(1)[..., None]) for r in range(3)
    )
    torch.testing.assert_close(net(x, audio, masks, scale), wanted, **CLOSE)
    nowhere = net(x, audio, torch.zeros_like(masks), scale)
    biases = sum(scale[r] * net.zero_conv[r].bias for r in range(3))
    torch.testing.assert_close(nowhere, biases.expand_as(nowhere), **CLOSE)
    assert biases.abs().max() > 0.1


def test_a_new_one_is_silent_and_learns_from_its_convolutions_first() -> None:
    net = HierarchicalFusion(DIM, HEADS, AUDIO)
    x, audio = normal(1, N, H * W, DIM), normal(2, N, 4, AUDIO)
    update = net(x, audio, torch.ones(N, 3, H, W), torch.ones(3))
    assert not update.any()
    (update - 1).square().sum().backward()
    assert all(conv.weight.grad.any() and conv.bias.grad.any() for conv in net.zero_conv)
