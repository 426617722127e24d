"""The guess that a frame is the portrait, except around the lips, and what it says about the velocity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from hallo_lit.errors import UserError
from hallo_lit.structs import REGIONS, Conditioning

TINY = 1e-5
Spread = float | Sequence[float]
SPREAD: Mapping[str, Spread] = {"pose": 0.12, "face": 0.3, "lip": 0.9}


class ReferencePrior(nn.Module):
    """x0 ~ N(reference, s^2), with s from the region masks.

    Under it the velocity given x_t has a posterior mean and the deviation s / sqrt(alpha^2 s^2 + sigma^2), in closed
    form. A network's output F is taken in these units, v = mean + deviation * F, so that it only says what the portrait
    does not tell. Target, loss and solvers stay those of v-prediction, also at zero terminal SNR, and a network whose
    last layer starts at zero starts as a copy of the portrait. A clip that has lost its portrait gets the prior
    N(0, 1), for which v = F.
    """

    spread: Tensor  # (r, 1 or c)

    def __init__(self, spread: Mapping[str, Spread] | None = SPREAD, smallest: float = 0.05, channels: int = 1) -> None:
        """spread: s in latent units for each of REGIONS, small where frames hardly leave the portrait; one number, or
        one per latent channel. None: `channels` of them are measured in the training set (`residual_spread`) when a
        run begins, and travel with its checkpoints.

        Raises:
            UserError: a region is missing or unknown, or a spread is not positive.
        """
        super().__init__()
        self.smallest, self.measured = smallest, spread is None
        values = torch.full((len(REGIONS), channels), torch.nan) if spread is None else as_rows(spread)
        if smallest <= 0:
            raise UserError(f"process.prior.smallest={smallest}: give a positive number.")
        self.register_buffer("spread", values)

    def measure(self, spread: Mapping[str, Spread]) -> None:
        """Takes spreads that were measured.

        Raises:
            UserError: see the constructor, or another number of channels than was planned.
        """
        values = as_rows(spread)
        if values.shape[1] not in (1, self.spread.shape[1]):
            raise UserError(
                f"process.prior.channels={self.spread.shape[1]}, but the latents have {values.shape[1]} channels."
            )
        self.spread.copy_(values)  # one number stands for all channels

    @property
    def known(self) -> bool:
        """Whether the spreads are there."""
        return not bool(self.spread.isnan().any())

    def to_plain(self) -> dict[str, list[float]]:
        """What `spread` of a configuration would be."""
        return {name: row.tolist() for name, row in zip(REGIONS, self.spread, strict=True)}

    def velocity(self, raw: Tensor, x: Tensor, power: Tensor, cond: Conditioning) -> Tensor:
        """raw and x (b, f, c, h, w); power (b,) is alpha^2, the share of signal in x."""
        if cond.reference is None:
            return raw
        reference, s = cond.reference, self.deviation(x, cond)
        power = power.to(x).view(-1, 1, 1, 1, 1)
        alpha, sigma = power.sqrt(), (1 - power).sqrt()
        total = power * s.square() + sigma.square() + TINY  # the variance of x_t
        surprise = x - alpha * reference
        clean = reference + alpha * s.square() / total * surprise
        noise = sigma / total * surprise
        return alpha * noise - sigma * clean + s / total.sqrt() * raw

    def deviation(self, x: Tensor, cond: Conditioning) -> Tensor:
        """s, (b, f or 1, 1 or c, h, w): the regions' spreads mixed as their masks are; 1 without masks or portrait.

        Raises:
            UserError: the spreads are those of latents with another number of channels.
        """
        if cond.masks is None:
            return x.new_ones(len(x), 1, 1, *x.shape[-2:])
        masks = cond.masks.levels[0].to(x).unflatten(-1, x.shape[-2:])  # (b, k, r, h, w)
        if self.spread.shape[1] not in (1, x.shape[2]):
            raise UserError(
                f"process.prior.spread has {self.spread.shape[1]} numbers, the latents {x.shape[2]} channels."
            )
        mixed = torch.einsum("bkrhw,rc->bkchw", masks, self.spread.to(x))
        s = (mixed / masks.sum(2, keepdim=True).clamp(min=TINY)).clamp(min=self.smallest)
        if cond.keep_portrait is None:
            return s
        return torch.where(cond.keep_portrait.view(-1, 1, 1, 1, 1), s, torch.ones_like(s))


def as_rows(spread: Mapping[str, Spread]) -> Tensor:
    """(r, 1 or c) in the order of REGIONS.

    Raises:
        UserError: a region is missing or unknown, or a spread is not positive.
    """
    rows = {name: [float(v) for v in (s if isinstance(s, Sequence) else [s])] for name, s in spread.items()}
    if set(rows) != set(REGIONS) or not all(row and min(row) > 0 for row in rows.values()):
        raise UserError(f"process.prior.spread={dict(spread)}: give positive numbers for {', '.join(REGIONS)}.")
    channels = max(map(len, rows.values()))
    if any(len(row) not in (1, channels) for row in rows.values()):
        raise UserError("process.prior.spread: give every region one number, or one per latent channel.")
    return torch.tensor([rows[name] * (channels // len(rows[name])) for name in REGIONS])


def residual_spread(frames: Tensor, reference: Tensor, masks: Tensor) -> dict[str, list[float]]:
    """How far frames (n, c, h, w) leave their portraits (n, c, h, w) in each region, per channel, as deviations.

    masks (n, r, h, w) in the order of REGIONS. With these spreads a network is asked for numbers of about unit size in
    every channel, and weak channels are not taken for wide ones, which shows as speckle.
    """
    squares = (frames - reference).square()
    spread = torch.einsum("nchw,nrhw->rc", squares, masks) / masks.sum((0, 2, 3))[:, None].clamp(min=TINY)
    return {name: row.sqrt().clamp(min=1e-4).tolist() for name, row in zip(REGIONS, spread, strict=True)}
