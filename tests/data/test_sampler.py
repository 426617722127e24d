from itertools import pairwise, product

import pytest
import torch
from torch.utils.data import DataLoader

from hallo_lit.data.sampler import ClipSampler, Draw
from hallo_lit.errors import UserError


def epoch(size: int, batch_size: int, world: int, **other) -> list[list[list[Draw]]]:
    """Batches of every rank over one epoch."""
    return [list(ClipSampler(size, batch_size, 3, rank, world, **other)) for rank in range(world)]


def flat(ranks: list[list[list[Draw]]]) -> list[Draw]:
    return [draw for batches in ranks for batch in batches for draw in batch]


@pytest.mark.parametrize(("size", "batch_size", "world"), product((8, 12, 17, 30), (1, 2, 3, 5), (1, 2, 3, 4)))
def test_ranks_are_disjoint_and_see_everything_once(size, batch_size, world):
    ranks = epoch(size, batch_size, world)
    draws = flat(ranks)
    assert len(set(draws)) == len(draws) == size // world * world
    assert {draw.epoch for draw in draws} == {0}
    assert len({tuple(len(batch) for batch in batches) for batches in ranks}) == 1
    assert all(len(batches) == len(ClipSampler(size, batch_size, 3, 0, world)) for batches in ranks)
    assert all(len(batch) == batch_size for batches in ranks for batch in batches[:-1])


def test_the_rest_that_does_not_fill_all_ranks_opens_the_next_epoch():
    samplers = [ClipSampler(11, 2, 0, rank, 4) for rank in range(4)]
    stream = [flat([list(sampler) for sampler in samplers]) for _ in range(11)]
    assert [len(draws) for draws in stream] == [8] * 11
    everything = [draw for draws in stream for draw in draws]
    for number in range(8):
        assert sorted(draw.sample for draw in everything if draw.epoch == number) == list(range(11))


def test_whole_batches_leave_smaller_ones_for_the_next_epoch():
    sampler = ClipSampler(11, 4, 0, whole_batches=True)
    batches = [batch for _ in range(11) for batch in sampler]
    assert {len(batch) for batch in batches} == {4}
    assert len(sampler) == 2
    for number in range(8):
        assert sorted(d.sample for b in batches for d in b if d.epoch == number) == list(range(11))


def test_steps_hold_the_same_samples_on_any_number_of_ranks():
    size, step = 24, 12
    steps = []
    for world in (1, 2, 3, 4):
        ranks = epoch(size, step // world, world)
        steps.append([set(flat([[batches[i]] for batches in ranks])) for i in range(2)])
    assert all(other == steps[0] for other in steps)


def test_order_depends_on_seed_and_pass_only():
    sampler = ClipSampler(20, 4, 1)
    first, second = [d.sample for d in flat([list(sampler)])], [d.sample for d in flat([list(sampler)])]
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert first == [d.sample for d in flat([list(ClipSampler(20, 5, 1))])]
    assert first != [d.sample for d in flat([list(ClipSampler(20, 4, 2))])]


@pytest.mark.parametrize(("size", "world", "stop"), product((16, 19), (1, 2, 3), range(1, 12)))
def test_interruption_anywhere_loses_and_repeats_nothing(size, world, stop):
    whole = [batch for sampler in [ClipSampler(size, 2, 5, 1 % world, world)] for _ in range(6) for batch in sampler]
    before = ClipSampler(size, 2, 5, 1 % world, world)
    seen = []
    while len(seen) < stop:
        for batch in before:
            seen.append(batch)
            if len(seen) == stop:
                break
    after = ClipSampler(size, 2, 5, 1 % world, world)
    after.load_state_dict(before.state_dict())
    rest = list(after)
    left = -stop % len(after) or len(after)
    assert len(rest) == left
    assert seen + rest == whole[: stop + left]
    assert list(after) == whole[stop + left : stop + left + len(after)]


@pytest.mark.parametrize(("old", "new"), [(a, b) for a in (1, 2, 3, 4) for b in (1, 2, 3, 4) if a != b])
def test_interruption_with_another_number_of_ranks(old, new):
    size, steps = 24, 2
    samplers = [ClipSampler(size, 3, 7, rank, old) for rank in range(old)]
    seen = [draw for sampler in samplers for _, batch in zip(range(steps), sampler, strict=False) for draw in batch]
    state = samplers[0].state_dict()
    assert state == samplers[-1].state_dict()
    resumed = [ClipSampler(size, 3, 7, rank, new) for rank in range(new)]
    for sampler in resumed:
        sampler.load_state_dict(state)
    for _ in range(3 * size // new):
        seen += flat([list(sampler) for sampler in resumed])
    done = max(draw.epoch for draw in seen)
    assert done > 2
    assert len(set(seen)) == len(seen)
    for number in range(done):
        assert sorted(draw.sample for draw in seen if draw.epoch == number) == list(range(size))


def test_fetching_ahead_does_not_count_as_training():
    trained = 100
    sampler = ClipSampler(20, 2, 0, steps=lambda: trained)
    batches = iter(sampler)
    fetched = [next(batches) for _ in range(6)]
    trained += 2
    assert sampler.progress().consumed == 4
    resumed = ClipSampler(20, 2, 0)
    resumed.load_state_dict(sampler.state_dict())
    assert list(resumed)[:4] == fetched[2:]


def test_an_epoch_left_early_is_not_resumed_but_left():
    sampler = ClipSampler(20, 2, 0)
    first = [batch for _, batch in zip(range(3), sampler, strict=False)]
    second = list(sampler)
    assert len(second) == len(sampler) == 10
    order = flat([first, second])
    assert all(a != b for a, b in pairwise(order))
    assert len(set(order)) == 26


@pytest.mark.parametrize("workers", [0, 2])
def test_inside_a_plain_loader(workers):
    class Numbers(torch.utils.data.Dataset):
        def __getitem__(self, draw: Draw) -> int:
            return draw.epoch * 1000 + draw.sample

    sampler = ClipSampler(10, 4, 1)
    loader = DataLoader(
        Numbers(), batch_sampler=sampler, num_workers=workers, persistent_workers=workers > 0, collate_fn=list
    )
    assert len(loader) == 3
    seen = [[number for batch in loader for number in batch] for _ in range(2)]
    assert [sorted(numbers) for numbers in seen] == [list(range(10)), list(range(1000, 1010))]


def test_too_few_samples_are_refused():
    with pytest.raises(UserError, match="too few"):
        ClipSampler(3, 2, world=4)
    with pytest.raises(UserError, match="too few"):
        ClipSampler(7, 2, world=4, whole_batches=True)
