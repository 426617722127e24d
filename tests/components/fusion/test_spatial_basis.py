"""The fusion that tells the audio where the mouth is."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.components.fusion.spatial_basis import SpatialBasisFusion, gaussians
from tiny_hallo import CLOSE, normal, redraw

H, W = 16, 24


def box(top: int, left: int, height: int = 4, width: int = 8) -> torch.Tensor:
    """(1, h, w) lip mask."""
    mask = torch.zeros(1, H, W)
    mask[:, top : top + height, left : left + width] = 1
    return mask


def test_the_middle_bump_sits_on_the_mouth_and_moves_with_it() -> None:
    here, there = (gaussians(box(6, left), 3, 0.6, 1.0)[0].unflatten(1, (H, W)) for left in (4, 12))
    middle = here[4]
    assert middle.argmax() in [row * W + column for row in (7, 8) for column in (7, 8)]  # of rows 6..9, columns 4..11
    torch.testing.assert_close(here[..., :16], there[..., 8:], **CLOSE)
    peaks = [divmod(int(bump.argmax()), W) for bump in here]
    assert peaks[0][0] < peaks[4][0] < peaks[8][0]
    assert peaks[0][1] < peaks[4][1] < peaks[8][1]


def test_bumps_grow_with_the_mouth() -> None:
    narrow, wide = (gaussians(box(6, 12 - width // 2, 4, width), 3, 0.6, 1.0)[0, 4] for width in (8, 16))
    assert wide.sum() > 2 * narrow.sum()


@pytest.mark.parametrize("mask", [torch.zeros(1, H, W), torch.ones(1, H, W)])
def test_without_lips_the_basis_spans_the_picture(mask: torch.Tensor) -> None:
    bumps = gaussians(mask, 3, 0.6, 1.0)
    assert bumps.isfinite().all()
    assert divmod(int(bumps[0, 4].argmax()), W)[0] in (H // 2 - 1, H // 2)


def test_a_new_one_is_hierarchical_fusion_and_its_basis_learns() -> None:
    net = SpatialBasisFusion(8, 2, 6)
    x, audio, masks = normal(1, 2, H * W, 8), normal(2, 2, 4, 6), box(6, 8).expand(2, 3, H, W)
    update = net(x, audio, masks, torch.ones(3))
    assert not update.any()
    (update - 1).square().sum().backward()
    assert net.basis.weight.grad.any()


@torch.no_grad()
def test_the_basis_is_added_at_the_mouth_and_weighed_by_the_lips_scale() -> None:
    net, plain = redraw(SpatialBasisFusion(8, 2, 6)), HierarchicalFusion(8, 2, 6)
    plain.load_state_dict({k: v for k, v in net.state_dict().items() if not k.startswith("basis")})
    x, audio, masks = normal(1, 1, H * W, 8), normal(2, 1, 4, 6), box(2, 2).expand(1, 3, H, W)

    def basis(scale: tuple[float, float, float]) -> torch.Tensor:
        weight = torch.tensor(scale)
        return (net(x, audio, masks, weight) - plain(x, audio, masks, weight))[0].unflatten(0, (H, W))

    added = basis((1.0, 1.0, 1.0))
    assert added[2:6, 2:10].abs().mean() > 0.1
    assert added[12:, 18:].abs().max() < 1e-4  # far from the mouth
    torch.testing.assert_close(basis((5.0, 7.0, 2.0)), added * 2, **CLOSE)
