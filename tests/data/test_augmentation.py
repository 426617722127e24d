"""Pixels, landmarks and masks move as one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from hallo_lit.data.augmentation import Augmentation, Change
from hallo_lit.data.clips import ClipPolicy
from hallo_lit.data.dataset import ClipDataset, SampleSpec
from hallo_lit.data.masks import locator, region_masks
from hallo_lit.data.sampler import Draw
from hallo_lit.data.store import ClipStore, StoreWriter
from hallo_lit.errors import UserError

from .stores import SPEC, item, tensors

STILL = Change(0.0, 1.0, (0.0, 0.0), (1.0, 1.0, 1.0), 1.0, 0.0, False)
SIZE = (48, 64)


def spot(x: float, y: float) -> torch.Tensor:
    """A soft white spot on black, (1, 3, H, W)."""
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    light = torch.exp(-((columns - x).square() + (rows - y).square()) / 8)
    return (2 * light - 1).expand(1, 3, -1, -1)


def centre(images: torch.Tensor) -> tuple[float, float]:
    light = (images[0].mean(0) + 1) / 2
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    return float((light * columns).sum() / light.sum()), float((light * rows).sum() / light.sum())


@pytest.mark.parametrize(
    "change",
    [
        STILL._replace(angle=math.radians(12)),
        STILL._replace(zoom=1.2),
        STILL._replace(shift=(0.1, -0.05)),
        STILL._replace(mirrored=True),
        STILL._replace(angle=math.radians(-7), zoom=0.9, shift=(-0.06, 0.04), mirrored=True),
    ],
)
def test_a_landmark_stays_on_what_it_marks(change: Change) -> None:
    moved = change.points(np.array([[40.0, 20.0, 5.0]]), SIZE)
    assert centre(change.frames(spot(40, 20))) == pytest.approx(tuple(moved[0, :2]), abs=0.1)
    assert moved[0, 2] == 5.0


def test_no_change_is_none() -> None:
    images = spot(30, 20)
    torch.testing.assert_close(STILL.frames(images), images, atol=1e-4, rtol=0)


def test_colours_change_and_can_be_lost() -> None:
    images = torch.rand(2, 3, *SIZE) * 2 - 1
    grey = STILL._replace(faded=1.0).frames(images)
    torch.testing.assert_close(grey[:, 0], grey[:, 2])
    torch.testing.assert_close(grey.mean(1), images.mean(1), atol=1e-4, rtol=0)
    warm = STILL._replace(gain=(1.2, 1.0, 0.8)).frames(images)
    assert (warm[:, 0] >= images[:, 0] - 1e-4).all()
    assert (warm[:, 2] <= images[:, 2] + 1e-4).all()
    assert warm.abs().max() <= 1


def test_draws_stay_in_their_ranges_and_follow_the_generator() -> None:
    chosen = Augmentation(grey=0.3, mirrored=0.5)
    drawn = [chosen.draw(torch.Generator().manual_seed(seed)) for seed in range(300)]
    assert drawn[7] == chosen.draw(torch.Generator().manual_seed(7))
    assert max(abs(change.angle) for change in drawn) <= math.radians(6)
    assert 0.2 < sum(change.faded == 1 for change in drawn) / 300 < 0.4
    assert 0.4 < sum(change.mirrored for change in drawn) / 300 < 0.6
    nothing = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0).draw(torch.Generator())
    assert nothing == STILL


@pytest.fixture
def store(tmp_path):
    points = np.random.default_rng(0).uniform(-8, 8, (1, 478, 2)) + np.array([40, 20])
    given = {**tensors(20, size=SIZE), "landmarks": points.repeat(20, 0), "locator": np.array([30, 10, 50, 30])}
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(20, size=SIZE, tensors=given))
    return ClipStore(tmp_path)


def test_masks_and_locator_move_with_the_face(store) -> None:
    clip, indices = store[0], ClipPolicy(5).at(3, 9)
    change = STILL._replace(mirrored=True)
    plain, moved = region_masks(clip, indices, "portrait"), region_masks(clip, indices, "portrait", change)
    torch.testing.assert_close(moved[2].flip(-1), plain[2], atol=0.2, rtol=0)
    assert moved[2, :, :3].sum() > plain[2, :, :3].sum()  # the lips were right of the middle
    box = locator(clip, SIZE, change)[0]
    assert box[:, : SIZE[1] // 2].sum() > box[:, SIZE[1] // 2 :].sum()


def test_samples_are_changed_anew_in_every_pass_and_the_same_in_every_run(store) -> None:
    spec = SampleSpec(ClipPolicy(4, 0), masks="portrait", augmentation=Augmentation())
    data, again = ClipDataset(store, spec), ClipDataset(store, spec)
    assert torch.equal(data[Draw(1, 0)].frames, again[Draw(1, 0)].frames)
    assert torch.equal(data[Draw(1, 0)].audio, again[Draw(1, 0)].audio)
    assert not torch.equal(data[Draw(1, 0)].regions, data[Draw(2, 0)].regions)


@pytest.mark.parametrize("more", [{"masks": "union"}, {"masks": "none"}])
def test_what_cannot_move_is_refused(store, more) -> None:
    with pytest.raises(UserError, match="augmentation=null"):
        ClipDataset(store, SampleSpec(ClipPolicy(4, 0), augmentation=Augmentation(), **more))


def test_squeezed_pictures_cannot_be_turned(store) -> None:
    height, width = (int(side) for side in store.index.columns["size"][0])
    spec = SampleSpec(ClipPolicy(4, 0), masks="portrait", augmentation=Augmentation())
    assert ClipDataset(store, replace(spec, size=(2 * height, 2 * width))).size == (2 * height, 2 * width)
    with pytest.raises(UserError, match="same ratio of sides"):
        ClipDataset(store, replace(spec, size=(2 * height, width)))
