from itertools import pairwise

import numpy as np
import pytest
import torch

from hallo_lit.data.clips import ClipPolicy
from hallo_lit.data.masks import features_for, locator, region_masks
from hallo_lit.data.store import ClipStore, StoreWriter
from hallo_lit.errors import UserError

from .stores import SPEC, item, tensors

FRAMES, SIZE = 20, (64, 96)


@pytest.fixture
def clip(tmp_path):
    """A face that walks from left to right."""
    random = np.random.default_rng(0)
    points = random.uniform(-8, 8, (478, 2)) + np.array([20, 32])
    walking = points[None] + np.arange(FRAMES)[:, None, None] * [2.0, 0.0]
    given = {**tensors(FRAMES, size=SIZE), "landmarks": walking, "locator": np.array([12, 16, 72, 48])}
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(FRAMES, size=SIZE, tensors=given))
    return ClipStore(tmp_path)[0]


def test_union_is_what_the_store_says(clip):
    masks = region_masks(clip, ClipPolicy(5).at(3, 9), "union")
    assert torch.equal(masks, torch.from_numpy(clip.read("regions")) / 255)
    assert masks.shape == (3, 8, 8)


def test_frames_follow_the_face_and_portrait_stays_with_the_reference(clip):
    indices = ClipPolicy(5).at(3, 9)
    moving = region_masks(clip, indices, "frames")
    still = region_masks(clip, indices, "portrait")
    assert moving.shape == (5, 3, 8, 12)
    assert still.shape == (3, 8, 12)
    assert float(moving.amin()) >= 0
    assert float(moving.amax()) <= 1

    def middle(lip):
        return float((lip.sum(0) * torch.arange(12.0)).sum() / lip.sum())

    steps = [middle(frame[2]) for frame in moving]
    assert all(a < b for a, b in pairwise(steps))
    assert middle(still[2]) > steps[-1]
    assert torch.equal(region_masks(clip, ClipPolicy(1).at(9, 0), "frames")[0], still)


@pytest.mark.parametrize(("size", "box"), [((64, 96), (12, 16, 72, 48)), ((32, 96), (12, 8, 72, 24))])
def test_locator_is_the_box_at_any_size(clip, size, box):
    mask = locator(clip, size)
    left, top, right, bottom = box
    assert mask.shape == (1, *size)
    assert mask[0, top:bottom, left:right].eq(1).all()
    assert mask.sum() == (right - left) * (bottom - top)


def test_names_of_masks():
    assert features_for("union") == ("regions",)
    assert features_for("frames") == features_for("portrait") == ("landmarks",)
    with pytest.raises(UserError, match="choose one of union"):
        features_for("lips")


def test_no_masks_are_ones_and_need_nothing(clip):
    assert features_for("none") == ()
    assert torch.equal(region_masks(clip, ClipPolicy(1).at(9, 0), "none"), torch.ones(3, 1, 1))
