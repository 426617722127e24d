"""Gated fusion against its formula."""

from __future__ import annotations

import torch

from hallo_lit.blocks.attention import attend
from hallo_lit.components.fusion.gated import GatedFusion
from tiny_hallo import CLOSE, normal, redraw, uniform


@torch.no_grad()
def test_every_region_passes_its_own_gate() -> None:
    net = redraw(GatedFusion(8, 2, 6))
    x, audio, masks = normal(1, 2, 15, 8), normal(2, 2, 4, 6), uniform(3, 2, 3, 3, 5)
    scale = torch.tensor([0.5, 1.0, 2.0])
    wanted = sum(
        scale[r] * attend(net.attn[r], x, audio) * masks[:, r].flatten(1)[..., None] * torch.tanh(net.gate[r])
        for r in range(3)
    )
    torch.testing.assert_close(net(x, audio, masks, scale), wanted, **CLOSE)


def test_gates_start_closed_and_open_by_learning() -> None:
    net = GatedFusion(8, 2, 6)
    update = net(normal(1, 2, 15, 8), normal(2, 2, 4, 6), torch.ones(2, 3, 3, 5), torch.ones(3))
    assert not update.any()
    (update - 1).square().sum().backward()
    assert all(gate.grad.any() for gate in net.gate)
