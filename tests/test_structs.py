"""Bundles: coins, rows of conditionings, batches."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest
import torch

from hallo_lit.structs import (
    REGIONS,
    ClipBatch,
    ClipInputs,
    ClipSample,
    Conditioning,
    Drop,
    DropRates,
    KeyValue,
    MaskPyramid,
    cycle,
    per_frame,
)
from tiny_hallo import normal, tiny_clip, uniform

NAMES = [field.name for field in fields(Drop)]


def test_unconditional_loses_everything_but_motion() -> None:
    drop = Drop.unconditional(2)
    assert {name: getattr(drop, name).tolist() for name in NAMES} == {
        "portrait": [True] * 2,
        "identity": [True] * 2,
        "audio": [True] * 2,
        "motion": [False] * 2,
        "location": [True] * 2,
    }
    assert not any(getattr(Drop.none(3), name).any() for name in NAMES)


def test_coins_fall_at_their_rates_clip_by_clip() -> None:
    rates = DropRates(reference=0.1, audio=0.3, motion=0.6)
    drop = Drop.sample(20_000, rates, torch.Generator().manual_seed(3))
    for name, rate in (("portrait", 0.1), ("audio", 0.3), ("motion", 0.6)):
        assert abs(getattr(drop, name).float().mean() - rate) < 0.015, name
    assert torch.equal(drop.portrait, drop.identity)
    assert torch.equal(drop.portrait, drop.location)
    both = (drop.audio & drop.motion).float().mean()
    assert abs(both - 0.3 * 0.6) < 0.015  # independent coins


def test_coins_come_from_the_generator_alone() -> None:
    def drawn(seed: int) -> torch.Tensor:
        drop = Drop.sample(64, DropRates(0.5, 0.5, 0.5), torch.Generator().manual_seed(seed))
        return torch.stack([getattr(drop, name) for name in NAMES])

    first = drawn(1)
    torch.manual_seed(99)
    assert torch.equal(first, drawn(1))
    assert not torch.equal(first, drawn(2))


def test_extreme_rates_are_certain() -> None:
    drop = Drop.sample(500, DropRates(1.0, 0.0, 1.0))
    assert drop.portrait.all()
    assert not drop.audio.any()
    assert drop.motion.all()


def test_drops_join_in_order() -> None:
    drop = Drop.cat([Drop.where(1, ("audio",)), Drop.none(2), Drop.where(1, ("motion",))])
    assert drop.audio.tolist() == [True, False, False, False]
    assert drop.motion.tolist() == [False, False, False, True]


def conditioning(batch: int) -> Conditioning:
    return Conditioning(
        frames=3,
        identity=normal(1, batch, 2, 4),
        region_scale=torch.ones(3),
        audio=normal(2, batch, 3, 2, 5),
        masks=MaskPyramid.from_masks(uniform(3, batch, 3, 8, 8), (4, 4), 2),
        location=normal(4, batch, 1, 6, 4, 4),
        portrait=(KeyValue(normal(5, batch, 1, 2, 16, 3), normal(6, batch, 1, 2, 16, 3)),),
        keep_portrait=torch.tensor([True] * batch),
        motion=(normal(7, batch, 2, 16, 6),),
    )


def test_a_row_is_one_clip_of_everything() -> None:
    cond = conditioning(3)
    row = cond.row(1, Drop.none(3))
    assert torch.equal(row.identity, cond.identity[1:2])
    assert torch.equal(row.audio, cond.audio[1:2])
    assert torch.equal(row.masks.levels[1], cond.masks.levels[1][1:2])
    assert torch.equal(row.location, cond.location[1:2])
    assert torch.equal(row.portrait[0].key, cond.portrait[0].key[1:2])
    assert torch.equal(row.portrait[0].value, cond.portrait[0].value[1:2])
    assert torch.equal(row.motion[0], cond.motion[0][1:2])
    assert row.keep_portrait is None
    assert (row.frames, row.region_scale) == (3, cond.region_scale)


@pytest.mark.parametrize("lost", ["portrait", "audio", "location"])
def test_a_row_is_without_what_its_clip_lost(lost: str) -> None:
    drop = Drop.cat([Drop.none(1), Drop.where(1, (lost,))])
    cond = conditioning(2)
    assert getattr(cond.row(0, drop), lost) is not None
    row = cond.row(1, drop)
    assert getattr(row, lost) is None
    assert all(getattr(row, name) is not None for name in {"portrait", "audio", "location"} - {lost})
    assert row.motion is not None


def test_a_row_of_little_stays_little() -> None:
    row = Conditioning(1, normal(1, 2, 2, 4), torch.ones(3)).row(1, Drop.none(2))
    assert (row.audio, row.masks, row.location, row.portrait, row.motion) == (None,) * 5


def test_repeated_inputs_are_the_same_clips_over_again() -> None:
    clip = tiny_clip(2)
    for field in fields(ClipInputs):
        twice = getattr(clip.repeat(2), field.name)
        assert torch.equal(twice, torch.cat([getattr(clip, field.name)] * 2))
    one = tiny_clip(1)
    assert one.repeat(3).past.shape == (3, *one.past.shape[1:])
    assert one.repeat(3).past.data_ptr() == one.past.data_ptr()  # no copy


def test_inputs_move_together() -> None:
    moved = tiny_clip(1).to("cpu", torch.float64)
    assert {getattr(moved, field.name).dtype for field in fields(ClipInputs)} == {torch.float64}


def sample(index: int) -> ClipSample:
    clip = tiny_clip(1, seed=index)
    one = {field.name: getattr(clip, field.name)[0] for field in fields(ClipInputs)}
    return ClipSample(frames=normal(index, 3, 3, 32, 48), index=index, **one)


def test_a_batch_holds_its_samples_in_order() -> None:
    batch = ClipBatch.from_samples([sample(5), sample(9)])
    assert batch.index.tolist() == [5, 9]
    assert batch.index.dtype == torch.int64
    assert torch.equal(batch.frames[1], sample(9).frames)
    for field in fields(ClipInputs):
        assert torch.equal(getattr(batch.inputs, field.name)[1], getattr(sample(9), field.name)), field.name
    moved = batch.to("cpu")
    assert torch.equal(moved.frames, batch.frames)
    assert torch.equal(moved.inputs.audio, batch.inputs.audio)
    assert torch.equal(moved.index, batch.index)
    assert batch.curves.shape == (2, 0)  # nobody asked for them


@pytest.mark.gpu
def test_a_pinned_batch_reaches_the_gpu_unchanged() -> None:
    batch = ClipBatch.from_samples([sample(5), sample(9)])
    pinned = batch.pin_memory()
    assert pinned.frames.is_pinned()
    assert pinned.inputs.locator.is_pinned()
    assert pinned.index.is_pinned()
    there = pinned.to("cuda")
    assert torch.equal(there.frames.cpu(), batch.frames)
    assert torch.equal(there.inputs.regions.cpu(), batch.inputs.regions)


def test_frames_of_a_clip_stand_together() -> None:
    x = torch.arange(2)[:, None]
    assert per_frame(x, 3).flatten().tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [(1, [0, 0, 0, 10, 10, 10]), (2, [0, 1, 0, 10, 11, 10]), (3, [0, 1, 2, 10, 11, 12]), (4, [0, 1, 2, 10, 11, 12])],
)
def test_frame_j_gets_entry_j_modulo_entries(entries: int, wanted: list[int]) -> None:
    x = torch.tensor([0, 10])[:, None] + torch.arange(entries)
    assert cycle(x, 3).tolist() == wanted


def test_bundles_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Drop.none(1).audio = torch.ones(1)  # type: ignore[misc]
    assert REGIONS == ("pose", "face", "lip")
