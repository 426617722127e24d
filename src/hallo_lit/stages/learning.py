"""What is learned, by which optimiser, at which rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from hallo_lit.errors import UserError


class OptimizerPartial(Protocol):
    """An optimiser that lacks its parameters, as `_partial_: true` makes it."""

    def __call__(self, params: Iterable[nn.Parameter]) -> torch.optim.Optimizer: ...


@dataclass(frozen=True)
class Schedule:
    """The learning rate as a multiple of the optimiser's: a linear rise over `warm_up` steps, then `shape`.

    `linear` and `cosine` fall to `floor` at step `steps`, after a share `hold` of the way at the full rate; `constant`
    stays at 1.
    """

    shape: Literal["constant", "linear", "cosine"] = "constant"
    warm_up: int = 0
    steps: int = 0
    floor: float = 0.0
    hold: float = 0.0

    def __post_init__(self) -> None:
        """
        Raises:
            UserError: an unknown shape, or a fall that would end before the rise does.
        """
        if self.shape not in ("constant", "linear", "cosine"):
            raise UserError(f"The schedule {self.shape!r} is not known; choose constant, linear or cosine.")
        if self.warm_up < 0 or (self.shape != "constant" and self.steps <= self.warm_up):
            raise UserError(
                f"A {self.shape} schedule of {self.steps} steps has no room for {self.warm_up} steps of warm-up "
                "(schedule.warm_up)."
            )
        if not 0 <= self.hold < 1:
            raise UserError(f"schedule.hold={self.hold}: give a share of the steps, from 0 to below 1.")

    def factor(self, step: int) -> float:
        """`step` counts optimiser steps from 0."""
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        if self.shape == "constant":
            return 1.0
        done = min((step - self.warm_up) / (self.steps - self.warm_up), 1.0)
        done = max(0.0, (done - self.hold) / (1 - self.hold))
        falling = 1 - done if self.shape == "linear" else (1 + math.cos(math.pi * done)) / 2
        return self.floor + (1 - self.floor) * falling

    def over(self, optimizer: torch.optim.Optimizer) -> LambdaLR:
        # a plain function: LambdaLR would put an object's fields into the checkpoint and restore them from there
        return LambdaLR(optimizer, lambda step: self.factor(step))


@dataclass(frozen=True)
class Learning:
    """trains: patterns of parameter names (`denoiser.*audio*`), see `trainable.select`."""

    trains: Sequence[str]
    optimizer: OptimizerPartial
    schedule: Schedule = field(default_factory=Schedule)

    def renew(self, optimizers: Sequence[dict[str, Any]], schedules: Sequence[dict[str, Any]]) -> None:
        """Puts the optimiser's settings, as they are configured now, into states that a checkpoint kept."""
        now = dict(getattr(self.optimizer, "keywords", {}))
        rate = now.pop("lr", None)
        for state, schedule in zip(optimizers, schedules, strict=True):
            for group in state["param_groups"]:
                group.update({key: value for key, value in now.items() if key in group})
                before = group["initial_lr"]
                if rate is not None and before != rate:
                    group["lr"] = rate * (group["lr"] / before if before else 1.0)
                    group["initial_lr"] = rate
            schedule["base_lrs"] = [group["initial_lr"] for group in state["param_groups"]]


def adamw_8bit(
    params: Iterable[nn.Parameter],
    lr: float = 1e-5,
    betas: Sequence[float] = (0.9, 0.999),
    weight_decay: float = 0.01,
    eps: float = 1e-8,
) -> torch.optim.Optimizer:
    """bitsandbytes' AdamW with states in 8 bits (arXiv 2110.02861).

    Raises:
        UserError: the package is not installed.
    """
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise UserError(
            "optimizer=adamw_8bit needs the package bitsandbytes: pip install bitsandbytes, or use optimizer=adamw."
        ) from error
    made: torch.optim.Optimizer = AdamW8bit(params, lr=lr, betas=tuple(betas), weight_decay=weight_decay, eps=eps)
    return made
