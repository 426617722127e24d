"""Mask pyramids."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from hallo_lit.structs import (
    MaskPyramid,
)
from tiny_hallo import uniform


def pillow(mask: torch.Tensor, height: int, width: int) -> torch.Tensor:
    picture = Image.fromarray((mask.numpy() * 255).round().astype(np.uint8))
    small = picture.resize((width, height), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.asarray(small).copy()).float() / 255


@pytest.mark.parametrize("frames", [1, 5])
def test_mask_levels_follow_height_and_width(frames: int) -> None:
    masks = uniform(0, 2, 3, 20, 28) if frames == 1 else uniform(0, 2, frames, 3, 20, 28)
    pyramid = MaskPyramid.from_masks(masks, (8, 12), depth=3)
    assert [tuple(level.shape) for level in pyramid.levels] == [
        (2, frames, 3, 96),
        (2, frames, 3, 24),
        (2, frames, 3, 6),
    ]
    assert pyramid.at(1, 5).shape == (10, 3, 24)


def test_every_frame_gets_the_shared_masks() -> None:
    pyramid = MaskPyramid.from_masks(uniform(0, 2, 3, 20, 28), (8, 12))
    rows = pyramid.at(0, 4).unflatten(0, (2, 4))
    assert torch.equal(rows, pyramid.levels[0].expand(-1, 4, -1, -1))
    own = MaskPyramid.from_masks(uniform(0, 2, 3, 20, 28)[:, None].expand(-1, 4, -1, -1, -1), (8, 12))
    for level in range(3):
        assert torch.equal(own.at(level, 4), pyramid.at(level, 4))


def test_masks_of_frames_stay_with_their_frames() -> None:
    masks = uniform(0, 2, 4, 3, 20, 28)
    whole = MaskPyramid.from_masks(masks, (8, 12))
    for clip in range(2):
        for frame in range(4):
            alone = MaskPyramid.from_masks(masks[clip : clip + 1, frame], (8, 12))
            assert torch.equal(whole.at(1, 4)[clip * 4 + frame], alone.at(1, 1)[0])


def test_levels_are_antialiased_and_made_from_the_masks_themselves() -> None:
    masks = (uniform(0, 1, 3, 64, 96) > 0.5).float()
    pyramid = MaskPyramid.from_masks(masks, (8, 12), depth=3)
    for i, level in enumerate(pyramid.levels):
        height, width = 8 >> i, 12 >> i
        wanted = torch.stack([pillow(mask, height, width) for mask in masks[0]])
        assert (level[0, 0].unflatten(1, (height, width)) - wanted).abs().max() < 0.004  # Pillow rounds to 1/255


@pytest.mark.parametrize("size", [(8, 12), (16, 16), (3, 5)])
def test_eight_bit_masks_are_pillows(size: tuple[int, int]) -> None:
    masks = uniform(1, 2, 3, 20, 28)
    pyramid = MaskPyramid.from_masks(masks, size, depth=2, eight_bit=True)
    for i, level in enumerate(pyramid.levels):
        for clip in range(2):
            for region in range(3):
                wanted = pillow(masks[clip, region], size[0] >> i, size[1] >> i).flatten()
                assert torch.equal(level[clip, 0, region], wanted)


def test_slices_of_a_pyramid_keep_every_level() -> None:
    pyramid = MaskPyramid.from_masks(uniform(1, 3, 3, 20, 28), (8, 12))
    part = pyramid[1:2]
    assert len(part.levels) == len(pyramid.levels)
    assert all(torch.equal(p, w[1:2]) for p, w in zip(part.levels, pyramid.levels, strict=True))
