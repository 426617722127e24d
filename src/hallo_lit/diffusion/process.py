"""Noise, targets and loss weights: one object for training and for sampling (spec of the original: v-prediction with
zero terminal SNR, arXiv 2305.08891; min-SNR weights, arXiv 2303.09556)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from hallo_lit.diffusion.reference_prior import ReferencePrior
from hallo_lit.errors import UserError
from hallo_lit.structs import Conditioning

Denoise = Callable[[Tensor, Tensor, Conditioning], Tensor]
"""(x (b, f, c, h, w), timestep (b,), conditioning) -> (b, f, c, h, w): a network, or what the process makes of it."""


@dataclass(frozen=True)
class Noised:
    """A training example of the denoiser."""

    x: Tensor  # (b, f, c, h, w) noisy latents
    timestep: Tensor  # (b,) int64
    target: Tensor  # (b, f, c, h, w) velocity
    weight: Tensor  # (b,)


class NoiseProcess:
    """Variance-preserving diffusion in `steps` discrete steps.

    sampling_schedule: a different beta schedule for sampling; only released Hallo weights want one.
    timestep_power: training timesteps are steps * u ** power for uniform u; below 1 means more noise.
    common_noise: share of the noise's variance that the frames of a training clip have in common (the mixed noise of
        arXiv 2305.10474), for models with temporal modules that sample with shared noise; 1 would show them how frames
        differ, however noisy they are.
    prior: what is known of a frame before the network is asked; None: nothing.
    weighting: "clip" weighs every clip's own error; "mean" multiplies the mean error by the mean weight, as the
        original's second stage does.
    """

    def __init__(
        self,
        beta_start: float = 0.00085,
        beta_end: float = 0.012,
        beta_schedule: Literal["linear", "scaled_linear"] = "scaled_linear",
        sampling_schedule: Literal["linear", "scaled_linear"] | None = None,
        steps: int = 1000,
        zero_terminal_snr: bool = True,
        noise_offset: float = 0.05,
        snr_gamma: float | None = 5.0,
        weighting: Literal["clip", "mean"] = "clip",
        timestep_power: float = 1.0,
        common_noise: float = 0.0,
        prior: ReferencePrior | None = None,
    ) -> None:
        self.betas = {"beta_start": beta_start, "beta_end": beta_end, "num_train_timesteps": steps}
        self.beta_schedule, self.sampling_schedule = beta_schedule, sampling_schedule or beta_schedule
        self.steps, self.zero_terminal_snr = steps, zero_terminal_snr
        self.noise_offset, self.snr_gamma, self.weighting = noise_offset, snr_gamma, weighting
        self.timestep_power, self.common_noise, self.prior = timestep_power, common_noise, prior
        if not 0 <= common_noise <= 1:
            raise UserError(f"process.common_noise={common_noise:g} must be between 0 and 1.")
        if isinstance(prior, Mapping):  # settings of another process, without the class that they are for
            raise UserError(
                f"process.prior is set to {dict(prior)} without saying what it is (_target_): choose "
                "process=reference_preconditioned, or set process.prior=null."
            )
        # diffusers leaves its schedulers untyped
        self.training_scheduler: Any = DDIMScheduler(**self.scheduler_config(beta_schedule))

    def scheduler_config(self, schedule: str | None = None) -> dict[str, float | str | bool]:
        """Keywords that diffusers' schedulers share, for sampling unless `schedule` says otherwise."""
        return {
            **self.betas,
            "beta_schedule": schedule or self.sampling_schedule,
            "prediction_type": "v_prediction",
            "timestep_spacing": "trailing",
            "rescale_betas_zero_snr": self.zero_terminal_snr,
            **({"clip_sample": False, "steps_offset": 1} if schedule else {}),
        }

    def predictor(self, denoise: Denoise) -> Denoise:
        """What training compares with `Noised.target` and sampling gives to the solver, made of a raw network.

        Training and sampling both put it around the network. Without a prior the output is the velocity itself.
        """
        prior = self.prior
        if prior is None:
            return denoise

        def predict(x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
            power = self.training_scheduler.alphas_cumprod.to(x.device)[timestep]
            return prior.velocity(denoise(x, timestep, cond), x, power, cond)

        return predict

    def timesteps(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count,) int64 timesteps to train on, on the CPU."""
        if self.timestep_power == 1:
            return torch.randint(self.steps, (count,), generator=generator)
        drawn = self.steps * torch.rand(count, generator=generator) ** self.timestep_power
        return drawn.long().clamp(max=self.steps - 1)

    def draw(self, latents: Tensor, generator: torch.Generator | None = None) -> Noised:
        """Random timesteps and offset noise (one more draw per clip and channel) for latents (b, f, c, h, w)."""
        b, _, c, h, w = latents.shape
        timestep = self.timesteps(b, generator)
        noise = torch.randn(latents.shape, generator=generator)
        if self.common_noise:
            common = torch.randn(b, 1, c, h, w, generator=generator)
            noise = (1 - self.common_noise) ** 0.5 * noise + self.common_noise**0.5 * common
        if self.noise_offset:
            noise = noise + self.noise_offset * torch.randn(b, 1, c, 1, 1, generator=generator)
        return self.noised(latents, noise.to(latents), timestep.to(latents.device))

    def noised(self, latents: Tensor, noise: Tensor, timestep: Tensor) -> Noised:
        """`draw` with its random numbers given: noise like latents (b, f, c, h, w), timestep (b,)."""
        x = self.training_scheduler.add_noise(latents, noise, timestep)
        target = self.training_scheduler.get_velocity(latents, noise, timestep)
        return Noised(x, timestep, target, self.weight(timestep))

    def snr(self, timestep: Tensor) -> Tensor:
        """Signal-to-noise ratio (b,); zero at the last step when the terminal SNR is zero."""
        alpha = self.training_scheduler.alphas_cumprod.to(timestep.device)[timestep]
        return alpha / (1 - alpha)

    def weight(self, timestep: Tensor) -> Tensor:
        """min(SNR + 1, gamma) / (SNR + 1), (b,): min-SNR for a velocity target."""
        snr = self.snr(timestep) + 1
        return torch.ones_like(snr) if self.snr_gamma is None else snr.clamp(max=self.snr_gamma) / snr

    def loss(self, prediction: Tensor, noised: Noised, importance: Tensor | None = None) -> Tensor:
        """Weighted mean squared error in fp32, a scalar; `importance` weighs places, (b, f or 1, 1, h, w)."""
        squares = (prediction.float() - noised.target.float()).square()
        if importance is not None:
            squares = squares * importance
        error = squares.flatten(1).mean(1)  # (b,)
        if self.weighting == "mean":
            return error.mean() * noised.weight.mean()
        return (error * noised.weight).mean()
