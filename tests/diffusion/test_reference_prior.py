"""The closed form against Gaussian conditioning done the long way, and its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from hallo_lit.diffusion.guidance import NoGuidance
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.reference_prior import ReferencePrior, residual_spread
from hallo_lit.diffusion.sampler import Sampler, sample_clip
from hallo_lit.errors import UserError
from hallo_lit.structs import Conditioning, Drop, MaskPyramid
from tiny_hallo import conditioned, noisy, normal, tiny_clip, tiny_hallo, uniform

B, F, C, H, W = 2, 3, 4, 8, 12


def told(keep: torch.Tensor | None = None) -> Conditioning:
    masks = MaskPyramid.from_masks(uniform(1, B, 3, 20, 28), (H, W))
    return Conditioning(
        F, normal(2, B, 2, 4), torch.ones(3), masks=masks, reference=normal(3, B, 1, C, H, W), keep_portrait=keep
    )


def process(**own: object) -> NoiseProcess:
    return NoiseProcess(noise_offset=0.0, snr_gamma=None, prior=ReferencePrior(), **own)


@pytest.mark.parametrize("t", [0, 20, 500, 998, 999])
def test_mean_and_deviation_are_those_of_the_gaussian_posterior(t: int) -> None:
    """v is linear in (x0, eps), which given x are jointly Gaussian: condition the joint (v, x) numerically."""
    made, cond, x, timestep = process(), told(), normal(4, B, F, C, H, W), torch.full((B,), t)
    prior = made.prior
    assert prior is not None
    power = made.training_scheduler.alphas_cumprod[t].double()
    a, sigma = power.sqrt(), (1 - power).sqrt()
    s = prior.deviation(x, cond).double()
    reference = cond.reference.double()
    variance_x = a**2 * s**2 + sigma**2
    covariance = a * sigma - sigma * a * s**2  # of v = a eps - sigma x0 with x = a x0 + sigma eps
    mean = -sigma * reference + covariance / variance_x * (x.double() - a * reference)
    deviation = (a**2 + sigma**2 * s**2 - covariance**2 / variance_x).clamp(min=0).sqrt()
    silent = made.predictor(lambda x, t, cond: torch.zeros_like(x))(x, timestep, cond)
    loud = made.predictor(lambda x, t, cond: torch.ones_like(x))(x, timestep, cond)
    torch.testing.assert_close(silent.double(), mean.expand_as(x), rtol=2e-3, atol=2e-3)
    torch.testing.assert_close((loud - silent).double(), deviation.expand_as(x), rtol=2e-3, atol=2e-3)


def test_a_clip_without_its_portrait_is_plain_velocity_prediction() -> None:
    raw, x, timestep = normal(5, B, F, C, H, W), normal(4, B, F, C, H, W), torch.tensor([300, 999])
    given = told(torch.tensor([False, True]))
    given = replace(given, reference=given.reference * torch.tensor([0.0, 1.0]).view(-1, 1, 1, 1, 1))
    out = process().predictor(lambda *_: raw)(x, timestep, given)
    torch.testing.assert_close(out[0], raw[0], rtol=1e-4, atol=1e-4)
    assert (out[1] - raw[1]).abs().max() > 0.1
    nothing = replace(given, reference=None)
    assert torch.equal(process().predictor(lambda *_: raw)(x, timestep, nothing), raw)


def test_the_spread_follows_the_masks() -> None:
    prior = ReferencePrior({"pose": 0.1, "face": 0.2, "lip": 0.8})
    masks = torch.zeros(1, 3, 8, 8)
    masks[:, 0, :4], masks[:, 1, 4:], masks[:, 2, 6:], masks[:, 1, 6:] = 1, 1, 1, 0
    cond = Conditioning(1, normal(2, 1, 2, 4), torch.ones(3), masks=MaskPyramid.from_masks(masks, (8, 8), 1))
    s = prior.deviation(torch.zeros(1, 1, 2, 8, 8), cond)[0, 0, 0]
    torch.testing.assert_close(s[[0, 5, 7], 0], torch.tensor([0.1, 0.2, 0.8]))


def test_every_channel_may_have_its_own_spread() -> None:
    prior = ReferencePrior({"pose": 0.1, "face": [0.2, 0.3], "lip": [0.8, 0.4]})
    masks = torch.zeros(1, 3, 8, 8)
    masks[:, 1, :4], masks[:, 2, 4:] = 1, 1
    cond = Conditioning(1, normal(2, 1, 2, 4), torch.ones(3), masks=MaskPyramid.from_masks(masks, (8, 8), 1))
    s = prior.deviation(torch.zeros(1, 1, 2, 8, 8), cond)[0, 0]
    torch.testing.assert_close(s[:, [0, 7], 0], torch.tensor([[0.2, 0.8], [0.3, 0.4]]))
    with pytest.raises(UserError, match="2 numbers, the latents 4 channels"):
        prior.deviation(torch.zeros(1, 1, 4, 8, 8), cond)


def test_spreads_are_measured_by_region_and_channel() -> None:
    masks = torch.zeros(6, 3, 8, 8)
    masks[:, 0, :2], masks[:, 1, 2:5], masks[:, 2, 5:] = 1, 1, 1
    true = torch.tensor([[0.1, 0.2], [0.5, 0.3], [2.0, 1.0]])
    deviation = torch.einsum("nrhw,rc->nchw", masks, true)
    reference = normal(1, 6, 2, 8, 8)
    measured = residual_spread(reference + deviation * normal(2, 6, 2, 8, 8), reference, masks)
    torch.testing.assert_close(torch.tensor(list(measured.values())), true, rtol=0.15, atol=0.0)
    assert list(measured) == ["pose", "face", "lip"]


@torch.no_grad()
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_silent_network_gives_the_portrait_where_nothing_moves(steps: int) -> None:
    made = NoiseProcess(prior=ReferencePrior({"pose": 1e-3, "face": 1e-3, "lip": 1e-3}, smallest=1e-3))
    cond = told()
    sampler = Sampler("ddim", steps)
    denoise = made.predictor(lambda x, t, cond: torch.zeros_like(x))
    out = sample_clip(denoise, normal(6, B, F, C, H, W), sampler.scheduler(made), NoGuidance(), cond, [])
    torch.testing.assert_close(out, cond.reference.expand_as(out), rtol=0.0, atol=0.02)


def test_training_and_sampling_see_the_same_wrapper_and_gradients_flow() -> None:
    hallo, made = tiny_hallo(), process()
    cond = conditioned(hallo, tiny_clip())
    noised = made.draw(noisy(), torch.Generator().manual_seed(0))
    loss = made.loss(made.predictor(hallo)(noised.x, noised.timestep, cond), noised)
    loss.backward()
    assert hallo.denoiser.conv_out.weight.grad is not None
    assert hallo.denoiser.conv_out.weight.grad.abs().max() > 0


def test_without_a_prior_the_network_itself_is_the_predictor() -> None:
    network = tiny_hallo()
    assert NoiseProcess().predictor(network) is network


@pytest.mark.parametrize("spread", [{"lip": 1.0}, {"pose": 1, "face": 1, "lip": 0}, {"pose": 1, "face": 1, "mouth": 1}])
def test_spreads_that_make_no_sense_are_refused(spread: dict[str, float]) -> None:
    with pytest.raises(UserError, match="pose, face, lip"):
        ReferencePrior(spread)


def test_spreads_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(UserError, match="one per latent channel"):
        ReferencePrior({"pose": [1.0, 2.0], "face": [1.0, 2.0, 3.0], "lip": 1.0})


def test_powers_below_one_draw_noisier_steps() -> None:
    def drawn(power: float) -> torch.Tensor:
        return NoiseProcess(timestep_power=power).timesteps(4000, torch.Generator().manual_seed(1)).float()

    assert abs(drawn(1.0).mean() - 499.5) < 15
    assert abs(drawn(0.25).mean() - 799.5) < 10  # E u^p = 1 / (1 + p)
    assert drawn(0.25).max() <= 999
    assert drawn(0.25).min() >= 0


def test_importance_weighs_places() -> None:
    made = NoiseProcess(snr_gamma=None)
    noised = made.draw(noisy(2), torch.Generator().manual_seed(0))
    wrong = noised.target.clone()
    wrong[..., :4] += 1
    left = torch.zeros(2, 1, 1, *wrong.shape[-2:])
    left[..., :4] = 3
    assert made.loss(wrong, noised) == pytest.approx(4 / wrong.shape[-1], rel=1e-4)
    assert made.loss(wrong, noised, left) == pytest.approx(3 * 4 / wrong.shape[-1], rel=1e-4)
    assert made.loss(wrong, noised, 1 - left.clamp(max=1)) == pytest.approx(0.0, abs=1e-6)


def test_dropping_the_portrait_takes_the_reference_from_a_row() -> None:
    hallo = tiny_hallo()
    clip = tiny_clip(batch=2)
    drop = Drop.cat([Drop.none(1), Drop.unconditional(1)])
    cond = conditioned(hallo, clip, drop)
    assert cond.reference is not None
    assert cond.reference[0].abs().max() > 0
    assert cond.reference[1].abs().max() == 0
    assert cond.row(1, drop).reference is None


def test_spreads_that_are_to_be_measured_travel_with_the_weights() -> None:
    prior = ReferencePrior(None, channels=C)
    assert not prior.known
    found = {"pose": [0.1] * C, "face": [0.2] * C, "lip": [0.5 + k for k in range(C)]}
    prior.measure(found)
    assert prior.known
    other = ReferencePrior(None, channels=C)
    other.load_state_dict(prior.state_dict())
    fixed = ReferencePrior(found)
    assert torch.equal(other.spread, fixed.spread)
    assert ReferencePrior(other.to_plain()).spread.tolist() == fixed.spread.tolist()
    with pytest.raises(UserError, match=r"channels=2, but the latents have 4"):
        ReferencePrior(None, channels=2).measure(found)
