"""Interpolation of a stream against torch's of the whole."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from hallo_lit.components.audio_encoder.frame_grid import to_frames


@pytest.mark.parametrize("size", [1, 2, 5, 64, 1000])
@pytest.mark.parametrize(
    ("positions", "frames"), [(26, 14), (1, 1), (1, 4), (2, 1), (7, 7), (9, 30), (499, 250), (300, 2), (60, 59)]
)
def test_end_points_are_aligned(size: int, positions: int, frames: int) -> None:
    features = torch.randn(positions, 3)
    found = torch.cat(list(to_frames(features.split(size), positions, frames)))
    expected = F.interpolate(features.T[None].double(), size=frames, mode="linear", align_corners=True)[0].T
    assert found.shape == (frames, 3)
    assert (found - expected).abs().max() < 1e-6
    assert torch.equal(found, torch.cat(list(to_frames([features], positions, frames))))


def test_rows_come_as_soon_as_they_can() -> None:
    blocks = iter([torch.zeros(10, 1), torch.ones(10, 1)])
    first = next(to_frames(blocks, 20, 10))
    assert len(first) == 5  # frame 4 reads positions 8 and 9, frame 5 needs position 11
    assert len(list(blocks)) == 1
