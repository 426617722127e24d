from __future__ import annotations

import torch

from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.stages.randomness import Streams
from hallo_lit.structs import DropRates

LATENTS = torch.randn(4, 2, 4, 3, 3, generator=torch.Generator().manual_seed(1))
INDEX = torch.tensor([7, 3, 11, 5])


def test_a_sample_draws_the_same_in_any_batch() -> None:
    process = NoiseProcess()
    whole = Streams(5, 2, INDEX)
    rows = [1, 3]
    half = Streams(5, 2, INDEX[rows])
    for name in ("x", "timestep", "target", "weight"):
        given, alone = (getattr(s.noised(process, z), name) for s, z in ((whole, LATENTS), (half, LATENTS[rows])))
        assert torch.equal(given[rows], alone)
    rates = DropRates(0.5, 0.5, 0.5)
    assert torch.equal(whole.drop(rates).audio[rows], half.drop(rates).audio)
    assert torch.equal(whole.normal("a", LATENTS)[rows], half.normal("a", LATENTS[rows]))


def test_seed_step_sample_and_purpose_each_change_the_numbers() -> None:
    first = Streams(5, 2, INDEX).normal("a", LATENTS)
    others = [
        Streams(6, 2, INDEX).normal("a", LATENTS),
        Streams(5, 3, INDEX).normal("a", LATENTS),
        Streams(5, 2, INDEX + 1).normal("a", LATENTS),
        Streams(5, 2, INDEX).normal("b", LATENTS),
    ]
    assert all(not torch.isclose(first, other).any() for other in others)


def test_global_random_numbers_are_neither_used_nor_spent() -> None:
    before = torch.random.get_rng_state()
    drawn = Streams(0, 0, INDEX).uniform("a", LATENTS)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(99)
    assert torch.equal(drawn, Streams(0, 0, INDEX).uniform("a", LATENTS))


def test_conditions_are_dropped_as_often_as_asked() -> None:
    drop = Streams(0, 0, torch.arange(2000)).drop(DropRates(0.05, 0.2, 0.5))
    shares = [float(coin.float().mean()) for coin in (drop.portrait, drop.audio, drop.motion)]
    assert all(abs(share - wanted) < 0.035 for share, wanted in zip(shares, (0.05, 0.2, 0.5), strict=True))
    assert torch.equal(drop.portrait, drop.identity)
    both = float((drop.audio & drop.motion).float().mean())
    assert abs(both - 0.1) < 0.03  # independent
