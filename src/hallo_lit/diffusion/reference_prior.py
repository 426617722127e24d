"""The guess that a frame is the portrait, except around the lips, and what it says about the velocity."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.structs import REGIONS, Conditioning

TINY = 1e-5
SPREAD: Mapping[str, float] = {"pose": 0.12, "face": 0.3, "lip": 0.9}


class ReferencePrior:
    """x0 ~ N(reference, s^2), with s from the region masks.

    Under it the velocity given x_t has a posterior mean and the deviation s / sqrt(alpha^2 s^2 + sigma^2), in closed
    form. A network's output F is taken in these units, v = mean + deviation * F, so that it only says what the portrait
    does not tell. Target, loss and solvers stay those of v-prediction, also at zero terminal SNR, and a network whose
    last layer starts at zero starts as a copy of the portrait. A clip that has lost its portrait gets the prior
    N(0, 1), for which v = F.
    """

    def __init__(self, spread: Mapping[str, float] = SPREAD, smallest: float = 0.05) -> None:
        """spread: s in latent units for each of REGIONS, small where frames hardly leave the portrait.

        Raises:
            UserError: a region is missing or unknown, or a spread is not positive.
        """
        if set(spread) != set(REGIONS) or min(spread.values()) <= 0 or smallest <= 0:
            raise UserError(f"process.prior.spread={dict(spread)}: give a positive number for {', '.join(REGIONS)}.")
        self.spread, self.smallest = tuple(float(spread[name]) for name in REGIONS), smallest

    def velocity(self, raw: Tensor, x: Tensor, power: Tensor, cond: Conditioning) -> Tensor:
        """raw and x (b, f, c, h, w); power (b,) is alpha^2, the share of signal in x."""
        if cond.reference is None:
            return raw
        reference, s = cond.reference[:, None], self.deviation(x, cond)
        power = power.to(x).view(-1, 1, 1, 1, 1)
        alpha, sigma = power.sqrt(), (1 - power).sqrt()
        total = power * s.square() + sigma.square() + TINY  # the variance of x_t
        surprise = x - alpha * reference
        clean = reference + alpha * s.square() / total * surprise
        noise = sigma / total * surprise
        return alpha * noise - sigma * clean + s / total.sqrt() * raw

    def deviation(self, x: Tensor, cond: Conditioning) -> Tensor:
        """s, (b, f or 1, 1, h, w): the regions' spreads mixed as their soft masks are; 1 without masks or portrait."""
        if cond.masks is None:
            return x.new_ones(len(x), 1, 1, *x.shape[-2:])
        masks = cond.masks.levels[0].to(x).unflatten(-1, x.shape[-2:])  # (b, k, r, h, w)
        weight = torch.tensor(self.spread, device=x.device, dtype=x.dtype).view(-1, 1, 1)
        s = (masks * weight).sum(2, keepdim=True) / masks.sum(2, keepdim=True).clamp(min=TINY)
        s = s.clamp(min=self.smallest)
        if cond.keep_portrait is None:
            return s
        return torch.where(cond.keep_portrait.view(-1, 1, 1, 1, 1), s, torch.ones_like(s))
