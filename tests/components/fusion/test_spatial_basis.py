"""Where the basis lies, and that it follows the mouth."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.components.fusion.spatial_basis import LIP, SpatialBasisFusion, gaussians
from tiny_hallo import CLOSE, normal, redraw, uniform


def mouth(height: int, width: int, top: int, left: int, rows: int, columns: int) -> torch.Tensor:
    mask = torch.zeros(1, height, width)
    mask[:, top : top + rows, left : left + columns] = 1
    return mask


@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_the_grid_lies_over_the_mouth(size: tuple[int, int]) -> None:
    lip = mouth(*size, 7, 4, 4, 12)  # centre at row 9, column 10; the lips are half as wide as the mask, so half = 3
    bumps = gaussians(lip, 3, 0.6, 1.0).view(3, 3, *size)
    rows, columns = torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5
    weight = bumps / bumps.sum((2, 3), keepdim=True)
    middle_y, middle_x = (weight.sum(3) @ rows, weight.sum(2) @ columns)
    torch.testing.assert_close(middle_x[:, 1], torch.full((3,), 10.0), atol=0.1, rtol=0)
    torch.testing.assert_close(middle_x[:, 2] - middle_x[:, 1], torch.full((3,), 3.0), atol=0.15, rtol=0)
    torch.testing.assert_close(middle_y[1], torch.full((3,), 9.0), atol=0.1, rtol=0)
    assert bumps[1, 1].max() > 0.8


def test_moving_the_mask_moves_the_basis() -> None:
    a = gaussians(mouth(16, 16, 6, 3, 4, 8), 3, 0.6, 1.0).view(9, 16, 16)
    b = gaussians(mouth(16, 16, 8, 5, 4, 8), 3, 0.6, 1.0).view(9, 16, 16)
    torch.testing.assert_close(a.roll((2, 2), (1, 2))[:, 4:14, 4:14], b[:, 4:14, 4:14], atol=1e-4, rtol=0)


def test_a_coarser_grid_sees_the_same_mouth() -> None:
    lip = mouth(16, 16, 8, 4, 4, 8)
    fine = gaussians(lip, 3, 0.6, 1.0).view(1, 9, 16, 16)
    coarse = gaussians(torch.nn.functional.avg_pool2d(lip[None], 2)[0], 3, 0.6, 1.0).view(1, 9, 8, 8)
    assert (torch.nn.functional.avg_pool2d(fine, 2) - coarse).abs().max() < 0.12


def test_an_empty_mask_is_no_accident() -> None:
    bumps = gaussians(torch.zeros(2, 8, 8), 3, 0.6, 1.0)
    assert bumps.isfinite().all()


def test_a_new_one_is_hierarchical_fusion() -> None:
    torch.manual_seed(0)
    new, old = SpatialBasisFusion(8, 2, 6), HierarchicalFusion(8, 2, 6)
    old.load_state_dict({name: value for name, value in new.state_dict().items() if not name.startswith("basis")})
    inputs = normal(1, 4, 15, 8), normal(2, 4, 5, 6), uniform(3, 4, 3, 3, 5), torch.ones(3)
    torch.testing.assert_close(new(*inputs), old(*inputs), **CLOSE)


@torch.no_grad()
def test_the_basis_answers_to_the_lips_scale() -> None:
    net = redraw(SpatialBasisFusion(8, 2, 6, branches=["pose"]))
    x, audio, masks = normal(1, 2, 15, 8), normal(2, 2, 5, 6), uniform(3, 2, 3, 3, 5)
    scales = [torch.ones(3).index_fill(0, torch.tensor(LIP), value) for value in (0.0, 1.0, 2.0)]
    none, once, twice = (net(x, audio, masks, scale) for scale in scales)
    assert (once - none).abs().max() > 0.01
    torch.testing.assert_close(twice - none, 2 * (once - none), **CLOSE)
