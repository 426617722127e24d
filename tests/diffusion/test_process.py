"""Noise, targets, weights and losses."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.diffusion.process import Noised, NoiseProcess
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.errors import UserError
from tiny_hallo import CLOSE, normal

SHAPE = (3, 2, 4, 6, 8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def alphas(process: NoiseProcess) -> torch.Tensor:
    return process.training_scheduler.alphas_cumprod


def test_the_last_step_is_pure_noise() -> None:
    process = NoiseProcess()
    assert alphas(process)[-1] == 0
    assert process.snr(torch.tensor([999])) == 0
    latents, noise = normal(1, *SHAPE), normal(2, *SHAPE)
    noised = process.noised(latents, noise, torch.full((3,), 999))
    assert torch.equal(noised.x, noise)
    assert torch.equal(noised.target, -latents)  # all that there is to predict


def test_without_zero_terminal_snr_some_signal_is_left() -> None:
    process = NoiseProcess(zero_terminal_snr=False)
    assert 0.001 < alphas(process)[-1] < 0.01


@pytest.mark.parametrize("t", [0, 250, 999])
def test_noisy_latents_and_velocities_are_rotations(t: int) -> None:
    """x = alpha x0 + sigma e and v = alpha e - sigma x0, so x0 = alpha x - sigma v and e = sigma x + alpha v."""
    process, latents, noise = NoiseProcess(), normal(1, *SHAPE), normal(2, *SHAPE)
    noised = process.noised(latents, noise, torch.full((3,), t))
    power = alphas(process)[t]
    alpha, sigma = power.sqrt(), (1 - power).sqrt()
    torch.testing.assert_close(noised.x, alpha * latents + sigma * noise, **CLOSE)
    torch.testing.assert_close(alpha * noised.x - sigma * noised.target, latents, **CLOSE)
    torch.testing.assert_close(sigma * noised.x + alpha * noised.target, noise, **CLOSE)


def test_clips_have_timesteps_of_their_own() -> None:
    process, latents, noise = NoiseProcess(), normal(1, *SHAPE), normal(2, *SHAPE)
    t = torch.tensor([10, 500, 999])
    noised = process.noised(latents, noise, t)
    for i in range(3):
        alone = process.noised(latents[i : i + 1], noise[i : i + 1], t[i : i + 1])
        assert torch.equal(noised.x[i : i + 1], alone.x)
        assert torch.equal(noised.target[i : i + 1], alone.target)


def test_a_draw_comes_from_its_generator_alone() -> None:
    process, latents = NoiseProcess(), normal(1, *SHAPE)
    first = process.draw(latents, generator(5))
    torch.manual_seed(123)
    again, other = process.draw(latents, generator(5)), process.draw(latents, generator(6))
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.timestep, again.timestep)
    assert not torch.equal(first.x, other.x)
    assert first.timestep.dtype == torch.int64
    state = torch.random.get_rng_state()
    process.draw(latents, generator(5))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_drawn_noise_is_normal_with_an_offset_per_clip_and_channel() -> None:
    def noise(offset: float) -> torch.Tensor:
        process = NoiseProcess(noise_offset=offset)
        latents = torch.zeros(40, 5, 8, 12, 12)
        noised = process.draw(latents, generator())
        return noised.x / (1 - alphas(process)[noised.timestep]).sqrt().view(-1, 1, 1, 1, 1)

    plain, shifted = noise(0.0), noise(0.5)
    assert abs(plain.std() - 1) < 0.01
    assert plain.mean((1, 3, 4)).std() < 0.06
    assert abs(shifted.mean((1, 3, 4)).std() - 0.5) < 0.05  # (clips, channels)
    assert (shifted - plain - (shifted - plain)[:, :1, :, :1, :1]).abs().max() < 1e-3  # the same for all its frames


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_frames_have_a_share_of_their_noise_in_common(share: float) -> None:
    process = NoiseProcess(common_noise=share, noise_offset=0.0)
    noised = process.draw(torch.zeros(40, 3, 4, 8, 8), generator())
    drawn = noised.x / (1 - alphas(process)[noised.timestep]).sqrt().view(-1, 1, 1, 1, 1)
    assert abs(drawn.std() - 1) < 0.03
    first, second, third = drawn.unbind(1)
    assert abs((first * second).mean() - share) < 0.05
    assert abs((second * third).mean() - share) < 0.05
    assert abs((drawn[:-1] * drawn[1:]).mean()) < 0.02  # other clips have their own


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_from_nothing_to_all(share: float) -> None:
    with pytest.raises(UserError, match=r"process\.common_noise"):
        NoiseProcess(common_noise=share)


def test_timesteps_are_uniform_over_all_steps() -> None:
    drawn = NoiseProcess().timesteps(20_000, generator())
    assert (int(drawn.min()), int(drawn.max())) == (0, 999)
    assert abs(drawn.float().mean() - 499.5) < 6
    counts = torch.bincount(drawn // 100)
    assert (counts - 2000).abs().max() < 200


def test_a_power_below_one_prefers_noise() -> None:
    drawn = NoiseProcess(timestep_power=0.5).timesteps(20_000, generator())
    assert (int(drawn.min()) < 30, int(drawn.max())) == (True, 999)
    assert abs(drawn.float().mean() - 1000 * 2 / 3) < 8
    assert torch.equal(drawn, NoiseProcess(timestep_power=0.5).timesteps(20_000, generator()))


@pytest.mark.parametrize("gamma", [5.0, 2.0])
def test_weights_are_min_snr_for_a_velocity(gamma: float) -> None:
    process = NoiseProcess(snr_gamma=gamma)
    t = torch.arange(1000)
    snr = alphas(process) / (1 - alphas(process))
    wanted = torch.minimum(snr + 1, torch.full_like(snr, gamma)) / (snr + 1)
    torch.testing.assert_close(process.weight(t), wanted)
    assert process.weight(torch.tensor([999])) == 1
    assert process.weight(torch.tensor([0])) < 0.01


def test_without_gamma_all_timesteps_weigh_the_same() -> None:
    assert torch.equal(NoiseProcess(snr_gamma=None).weight(torch.tensor([0, 500, 999])), torch.ones(3))


def noised(weight: list[float]) -> Noised:
    return Noised(normal(1, 2, 3, 4, 5, 6), torch.tensor([1, 2]), normal(2, 2, 3, 4, 5, 6), torch.tensor(weight))


def test_every_clips_error_has_its_own_weight() -> None:
    given, prediction = noised([0.25, 1.0]), normal(3, 2, 3, 4, 5, 6)
    errors = (prediction - given.target).square().mean((1, 2, 3, 4))
    torch.testing.assert_close(NoiseProcess().loss(prediction, given), (errors[0] * 0.25 + errors[1]) / 2)
    mean = NoiseProcess(weighting="mean").loss(prediction, given)
    torch.testing.assert_close(mean, errors.mean() * 0.625)
    assert abs(mean - NoiseProcess().loss(prediction, given)) > 1e-4


def test_a_perfect_prediction_costs_nothing_and_losses_are_fp32() -> None:
    given = noised([1.0, 1.0])
    assert NoiseProcess().loss(given.target, given) == 0
    assert NoiseProcess().loss(given.target.bfloat16(), given).dtype == torch.float32


def test_importance_weighs_places() -> None:
    given, prediction = noised([1.0, 1.0]), normal(3, 2, 3, 4, 5, 6)
    everywhere = NoiseProcess().loss(prediction, given, torch.full((2, 1, 1, 5, 6), 2.0))
    torch.testing.assert_close(everywhere, 2 * NoiseProcess().loss(prediction, given))
    corner = torch.zeros(2, 3, 1, 5, 6)
    corner[..., 0, 0] = 1
    wanted = (prediction - given.target)[..., 0, 0].square().sum() / prediction.numel()
    torch.testing.assert_close(NoiseProcess().loss(prediction, given, corner), wanted)


def test_sampling_may_follow_another_schedule() -> None:
    ours = NoiseProcess()
    released = NoiseProcess(sampling_schedule="linear")
    assert torch.equal(alphas(ours), alphas(released))  # training is the same
    sampled = [Sampler(steps=4).scheduler(process).alphas_cumprod for process in (ours, released)]
    assert torch.equal(sampled[0], alphas(ours))
    assert (sampled[1] - alphas(released)).abs().max() > 0.05
    assert torch.equal(sampled[1], alphas(NoiseProcess(beta_schedule="linear")))


def test_without_a_prior_the_network_predicts_the_velocity_itself() -> None:
    def network(x, timestep, cond):
        return x

    assert NoiseProcess().predictor(network) is network


def test_bf16_latents_stay_bf16() -> None:
    made = NoiseProcess().draw(normal(1, *SHAPE).bfloat16(), generator())
    assert (made.x.dtype, made.target.dtype) == (torch.bfloat16, torch.bfloat16)


def test_settings_of_a_prior_alone_are_no_prior():
    with pytest.raises(UserError, match=r"process\.prior=null"):
        NoiseProcess(prior={"spread": None})
