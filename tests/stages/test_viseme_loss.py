from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint, rebuild
from hallo_lit.stages.running import train
from hallo_lit.stages.viseme_loss import VisemeLoss
from hallo_lit.structs import DropRates

from .small import batch_of, config, stage_of

ON = ("auxiliary=viseme", "objective.terms.viseme.weight=0.5")
HEARD, DEAF = DropRates(0.0, 0.0, 0.0), DropRates(0.0, 1.0, 0.0)


def losses(stage: Any, batch: Any, rates: DropRates) -> Any:
    return stage.losses(batch, stage.streams(batch.index, validating=True), rates)


def test_audio_tokens_are_pulled_towards_the_true_controls(store: Path) -> None:
    stage: Any = stage_of(store, *ON)
    batch = batch_of(store, *ON)
    assert batch.curves.shape == (2, 3, 6)
    made = losses(stage, batch, HEARD)
    alone = losses(stage_of(store), batch, HEARD)
    torch.testing.assert_close(made.loss, alone.loss + 0.5 * made.parts["viseme"])
    (gradient,) = torch.autograd.grad(made.parts["viseme"], stage.network.audio_projection.proj1.weight)
    assert gradient.abs().sum() > 0
    step = stage.network.audio_projection.parameters(), stage.terms.parameters()
    optimizer = torch.optim.Adam([p for group in step for p in group], 0.02)
    for _ in range(40):
        optimizer.zero_grad()
        tokens = stage.network.audio_projection(batch.inputs.audio)
        error = (stage.terms["viseme"].read(tokens.flatten(2)) - batch.curves).square().mean()
        error.backward()
        optimizer.step()
    assert losses(stage, batch, HEARD).parts["viseme"] < 0.2 * made.parts["viseme"]


def test_clips_that_hear_nothing_are_not_asked(store: Path) -> None:
    stage: Any = stage_of(store, *ON)
    batch = batch_of(store, *ON)
    made = losses(stage, batch, DEAF)
    assert float(made.parts["viseme"].detach()) == 0
    made.loss.backward()
    assert stage.terms["viseme"].read.weight.grad is not None  # as several processes need


def test_the_reader_trains_and_is_no_part_of_the_network(store: Path) -> None:
    settings = config(store, *ON, "name=reading", "steps=2")
    train(settings)
    checkpoint = read_checkpoint(checkpoint_in(Path(settings["run_dir"])))
    weight = checkpoint.state["terms.viseme.read.weight"]
    fresh: Any = stage_of(store, *ON)
    assert not torch.equal(weight, fresh.terms["viseme"].read.weight)
    rebuilt: Any = rebuild(checkpoint)
    assert torch.equal(rebuilt.terms["viseme"].read.weight, weight)
    assert not any("viseme" in key for key in checkpoint.network)


def test_what_it_cannot_compare_with_is_said(store: Path) -> None:
    with pytest.raises(UserError, match=r"data\.samples\.curves"):
        losses(stage_of(store, *ON), batch_of(store), HEARD)
    with pytest.raises(UserError, match="no control curve 'smile'"):
        batch_of(store, "auxiliary=viseme", "data.samples.curves=[open,smile]")
    with pytest.raises(UserError, match="auxiliary=viseme"):
        VisemeLoss([], 2, 8)
