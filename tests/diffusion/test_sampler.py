"""Samplers against a denoiser that knows the answer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hallo_lit.diffusion.guidance import JointGuidance, NoGuidance
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.sampler import SOLVERS, Sampler, sample_clip
from hallo_lit.errors import UserError
from hallo_lit.structs import Conditioning
from tiny_hallo import normal

COND = Conditioning(3, torch.zeros(1), torch.ones(3))
SHAPE = (1, 3, 4, 6, 8)
CLEAN = normal(9, *SHAPE)
solvers = pytest.mark.parametrize("solver", list(SOLVERS))


def oracle(scheduler: Any, clean: Tensor = CLEAN):
    """The velocity of the one clip that there is, by the scheduler's own signal and noise rates."""

    def denoise(x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        power = scheduler.alphas_cumprod[timestep].view(-1, 1, 1, 1, 1)
        alpha, sigma = power.sqrt(), (1 - power).sqrt()
        noise = (x - alpha * clean) / sigma
        return alpha * noise - sigma * clean

    return denoise


@solvers
@pytest.mark.parametrize("steps", [1, 2, 5, 20])
def test_the_clip_that_is_known_comes_out(solver: str, steps: int) -> None:
    scheduler = Sampler(solver, steps).scheduler(NoiseProcess())
    made = sample_clip(oracle(scheduler), normal(1, *SHAPE), scheduler, NoGuidance(), COND, [])
    torch.testing.assert_close(made, CLEAN, rtol=0, atol=2e-3)


@solvers
@pytest.mark.parametrize("steps", [1, 4, 7, 40])
def test_timesteps_trail_from_pure_noise(solver: str, steps: int) -> None:
    timesteps = Sampler(solver, steps).scheduler(NoiseProcess()).timesteps.tolist()
    assert timesteps == [round(1000 - i * 1000 / steps) - 1 for i in range(steps)]


@solvers
def test_every_step_is_asked_once_and_seen(solver: str) -> None:
    scheduler, asked, seen = Sampler(solver, 5).scheduler(NoiseProcess()), [], []

    def denoise(x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        asked.append(timestep.tolist())
        assert x.shape == SHAPE
        return x * 0.1

    made = sample_clip(denoise, normal(1, *SHAPE), scheduler, NoGuidance(), COND, [], lambda t, x: seen.append((t, x)))
    assert asked == [[999], [799], [599], [399], [199]]
    assert [t for t, _ in seen] == [999, 799, 599, 399, 199]
    assert seen[-1][1] is made


@solvers
def test_the_same_noise_gives_the_same_clip_however_often(solver: str) -> None:
    """Multistep solvers remember; every clip has a scheduler of its own."""
    sampler, process = Sampler(solver, 6), NoiseProcess()

    def denoise(x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        return torch.tanh(x) * 0.3

    first, second = (
        sample_clip(denoise, normal(1, *SHAPE), sampler.scheduler(process), NoGuidance(), COND, []) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_clips_of_a_batch_get_one_timestep_each() -> None:
    scheduler, clean = Sampler(steps=3).scheduler(NoiseProcess()), normal(9, 2, *SHAPE[1:])
    shapes = []

    def denoise(x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        shapes.append(timestep.shape)
        return oracle(scheduler, clean)(x, timestep, cond)

    made = sample_clip(denoise, normal(1, 2, *SHAPE[1:]), scheduler, NoGuidance(), COND, [])
    torch.testing.assert_close(made, clean, rtol=0, atol=1e-4)
    assert shapes == [(2,)] * 3


def test_guidance_mixes_clips() -> None:
    """With two known clips, guidance goes on from the null's past the given one's."""
    scheduler, null = Sampler(steps=1).scheduler(NoiseProcess()), Conditioning(0, torch.zeros(1), torch.ones(3))
    other = normal(10, *SHAPE)

    def denoise(x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        return oracle(scheduler, CLEAN if cond is COND else other)(x, timestep, cond)

    made = sample_clip(denoise, normal(1, *SHAPE), scheduler, JointGuidance(3.0), COND, [null])
    torch.testing.assert_close(made, other + 3.0 * (CLEAN - other), rtol=0, atol=1e-4)


@solvers
def test_half_precision_latents_stay_in_theirs(solver: str) -> None:
    scheduler = Sampler(solver, 3).scheduler(NoiseProcess())
    made = sample_clip(lambda x, t, cond: x * 0.1, normal(1, *SHAPE).bfloat16(), scheduler, NoGuidance(), COND, [])
    assert made.dtype == torch.bfloat16
    assert made.isfinite().all()


def test_solvers_differ_and_agree_in_the_end() -> None:
    """On a smooth problem more steps bring all solvers to one clip; the better ones are nearer with few."""
    process, noise = NoiseProcess(), normal(1, *SHAPE)

    def solved(solver: str, steps: int) -> Tensor:
        scheduler = Sampler(solver, steps).scheduler(process)

        def denoise(x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
            """The ideal denoiser of latents with deviation 0.5."""
            power = scheduler.alphas_cumprod[timestep].view(-1, 1, 1, 1, 1)
            alpha, sigma = power.sqrt(), (1 - power).sqrt()
            clean = alpha * 0.25 * x / (power * 0.25 + sigma**2)
            return (alpha * x - clean) / sigma

        return sample_clip(denoise, noise, scheduler, NoGuidance(), COND, [])

    exact = solved("ddim", 1000)
    for steps in (10, 40):
        errors = {solver: float((solved(solver, steps) - exact).abs().mean()) for solver in SOLVERS}
        assert 0 < errors["dpm"] < 0.85 * errors["ddim"]
        assert 0 < errors["unipc"] < 0.85 * errors["ddim"]
    assert max(errors.values()) < 0.035


def test_bad_settings_are_named() -> None:
    with pytest.raises(UserError, match=r"sampler\.solver=euler is not known; choose one of ddim, dpm, unipc"):
        Sampler("euler")
    with pytest.raises(UserError, match=r"sampler\.steps=0: at least one"):
        Sampler(steps=0)
