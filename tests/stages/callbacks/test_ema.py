from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.stages.callbacks.ema import Ema, lerp
from hallo_lit.stages.running import make_data, make_stage, make_trainer
from stages.small import ALL, EMA, config


def test_the_decay_rises() -> None:
    zero, one = torch.zeros(1), torch.ones(1)
    shares = [float(lerp(0.99)(zero, one, torch.tensor(n))) for n in (0, 10, 10_000)]
    assert shares == pytest.approx([0.9, 1 - 11 / 20, 0.01])


def test_weights_that_stay_keep_their_bits() -> None:
    value = torch.rand(1000)
    mean = value.clone()
    for count in range(50):
        mean = lerp(0.999)(mean, value, count)
    assert torch.equal(mean, value)


def test_the_average_stands_in_and_steps_back(store: Path) -> None:
    settings = config(store, ALL, "name=average", "steps=3", EMA)
    stage, trainer = make_stage(settings), make_trainer(settings)
    (ema,) = (callback for callback in trainer.callbacks if isinstance(callback, Ema))  # type: ignore[attr-defined]
    inside: list[bool] = []

    def look(*_: Any) -> None:
        current = stage.network.denoiser.conv_in.weight  # type: ignore[union-attr]
        before = current.detach().clone()  # type: ignore[union-attr, operator]
        with ema.in_place(stage):
            inside.append(torch.equal(current, before))  # type: ignore[arg-type]
        assert torch.equal(current, before)  # type: ignore[arg-type]

    stage.on_train_batch_end = look  # type: ignore[method-assign, assignment]
    trainer.fit(stage, datamodule=make_data(settings))
    assert inside[-1] is False
