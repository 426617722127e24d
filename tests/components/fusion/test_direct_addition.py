"""Direct addition against its formula."""

from __future__ import annotations

import torch

from hallo_lit.blocks.attention import attend
from hallo_lit.components.fusion.direct_addition import DirectAdditionFusion
from tiny_hallo import CLOSE, normal, redraw, uniform


@torch.no_grad()
def test_masked_attentions_are_added_as_they_are() -> None:
    net = redraw(DirectAdditionFusion(8, 2, 6))
    x, audio, masks = normal(1, 2, 15, 8), normal(2, 2, 4, 6), uniform(3, 2, 3, 3, 5)
    scale = torch.tensor([0.5, 1.0, 2.0])
    wanted = sum(scale[r] * attend(net.attn[r], x, audio) * masks[:, r].flatten(1)[..., None] for r in range(3))
    torch.testing.assert_close(net(x, audio, masks, scale), wanted, **CLOSE)
    assert not net(x, audio, torch.zeros_like(masks), scale).any()


def test_it_speaks_from_the_start() -> None:
    net = DirectAdditionFusion(8, 2, 6)
    assert net(normal(1, 2, 15, 8), normal(2, 2, 4, 6), torch.ones(2, 3, 3, 5), torch.ones(3)).abs().max() > 1e-3
    assert {name.split(".")[0] for name, _ in net.named_parameters()} == {"attn"}
