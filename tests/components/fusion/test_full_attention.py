"""The fusion without regions."""

from __future__ import annotations

import torch

from hallo_lit.blocks.attention import attend
from hallo_lit.components.fusion.full_attention import FullAttentionFusion
from tiny_hallo import normal, redraw, uniform


@torch.no_grad()
def test_it_is_one_attention_whatever_the_masks_and_scales() -> None:
    net = redraw(FullAttentionFusion(8, 2, 6))
    x, audio = normal(1, 2, 15, 8), normal(2, 2, 4, 6)
    wanted = attend(net.attn, x, audio)
    assert torch.equal(net(x, audio, uniform(3, 2, 3, 3, 5), torch.ones(3)), wanted)
    assert torch.equal(net(x, audio, torch.zeros(2, 3, 3, 5), torch.tensor([0.0, 5.0, 9.0])), wanted)
