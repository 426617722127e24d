from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.stages.running import make_data

from .small import batch_of, config, stage_of

CODEC = "stage=codec"


def train_set(store: Path) -> Any:
    data: Any = make_data(config(store, CODEC))
    data.setup("fit")
    return data.train_set


def test_reconstructions_improve(store: Path) -> None:
    stage: Any = stage_of(store, CODEC)
    batch = batch_of(store, CODEC, rows=(0, 1, 2, 3))
    streams = stage.streams(batch.index, validating=True)
    optimizer = torch.optim.Adam(stage.parameters(), 3e-3)
    first = stage.losses(batch, streams)
    for _ in range(30):
        optimizer.zero_grad()
        stage.losses(batch, streams)["loss"].backward()
        optimizer.step()
    last = stage.losses(batch, streams)
    assert last["loss"] < 0.7 * first["loss"]
    assert last["psnr"] > first["psnr"] + 2


def test_latents_are_pulled_to_unit_size(store: Path) -> None:
    stage: Any = stage_of(store, CODEC)
    size = torch.full((4, 2, 3, 3), 3.0)
    mean = torch.cat([size, -size])
    assert stage._unit(mean, torch.zeros_like(mean)) == pytest.approx(4.0)
    assert stage._unit(mean / 3, torch.zeros_like(mean)) == pytest.approx(0.0, abs=1e-6)
    assert stage._unit(mean / 3 + 1, torch.zeros_like(mean)) > 0.5


def test_cached_latents_are_refused(cached: Path) -> None:
    stage: Any = stage_of(cached, CODEC)
    batch = batch_of(cached, CODEC, "data.samples.source=latents")
    with pytest.raises(UserError, match=r"data\.samples\.source=pixels"):
        stage.losses(batch, stage.streams(batch.index, validating=True))


def test_the_linear_part_reads_pictures_before_any_step(store: Path) -> None:
    stage: Any = stage_of(store, CODEC)
    batch = batch_of(store, CODEC, rows=(0, 1, 2, 3))
    streams = stage.streams(batch.index, validating=True)
    before = stage.losses(batch, streams)["psnr"]
    stage.untrained = list(stage.network.state_dict())
    stage.prime(train_set(store))
    assert stage.losses(batch, streams)["psnr"] > before + 10


def test_a_codec_without_a_linear_part_is_left_alone(store: Path) -> None:
    plain = "size.codec._target_=hallo_lit.components.vae.LatentCodec"
    stage: Any = stage_of(store, CODEC, plain)
    before = {name: tensor.clone() for name, tensor in stage.network.state_dict().items()}
    stage.untrained = list(before)
    stage.prime(train_set(store))
    assert all(torch.equal(before[name], tensor) for name, tensor in stage.network.state_dict().items())
