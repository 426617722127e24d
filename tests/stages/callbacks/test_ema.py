from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.stages.callbacks.ema import Ema, lerp
from hallo_lit.stages.running import make_data, make_stage, make_trainer
from stages.small import ALL, EMA, config


def test_the_decay_rises() -> None:
    shares = []
    for count in (0, 10, 10_000):
        mean = torch.zeros(1)
        lerp(0.99)([mean], [torch.ones(1)], torch.tensor(count))
        shares.append(float(mean))
    assert shares == pytest.approx([0.9, 1 - 11 / 20, 0.01])


def test_whole_numbers_are_taken_as_they_are() -> None:
    counts, shared = torch.tensor([3]), torch.tensor([7])
    lerp(0.99)([counts, shared], [torch.tensor([5]), shared], 4)
    assert (counts.item(), shared.item()) == (5, 7)


def test_weights_that_stay_keep_their_bits() -> None:
    value = torch.rand(1000)
    mean = value.clone()
    for count in range(50):
        lerp(0.999)([mean], [value], count)
    assert torch.equal(mean, value)


def test_the_average_stands_in_and_steps_back(store: Path) -> None:
    settings = config(store, ALL, "name=average", "steps=3", EMA)
    stage, trainer = make_stage(settings), make_trainer(settings)
    (ema,) = (callback for callback in trainer.callbacks if isinstance(callback, Ema))  # type: ignore[attr-defined]
    inside: list[bool] = []
    shared: list[bool] = []

    def look(*_: Any) -> None:
        current = stage.network.denoiser.conv_in.weight  # type: ignore[union-attr]
        before = current.detach().clone()  # type: ignore[union-attr, operator]
        assert ema._average_model is not None
        for average, parameter in zip(ema._average_model.module.parameters(), stage.parameters(), strict=True):
            shared.append((average.data_ptr() == parameter.data_ptr()) == (not parameter.requires_grad))
        with ema.in_place(stage):
            inside.append(torch.equal(current, before))  # type: ignore[arg-type]
        assert torch.equal(current, before)  # type: ignore[arg-type]

    stage.on_train_batch_end = look  # type: ignore[method-assign, assignment]
    trainer.fit(stage, datamodule=make_data(settings))
    assert inside[-1] is False
    assert all(shared)
