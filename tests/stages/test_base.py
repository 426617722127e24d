from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.stages.base import NOTHING_DROPPED, DiffusionStage
from hallo_lit.structs import Drop, DropRates

from .small import ALL, batch_of, stage_of


def stage(store: Path, *more: str) -> Any:
    made = stage_of(store, ALL, *more)
    assert isinstance(made, DiffusionStage)
    return made


def losses(made: Any, batch: Any, rates: DropRates = NOTHING_DROPPED) -> Any:
    return made.losses(batch, made.streams(batch.index, validating=True), rates)


def test_the_loss_is_the_process_on_the_model(store: Path) -> None:
    made, batch = stage(store), batch_of(store)
    streams = made.streams(batch.index, validating=True)
    hallo = made.network
    mean, std = hallo.codec.moments(batch.frames)
    latents = mean + std * streams.normal("frames", mean)
    noised = streams.noised(made.process, latents)
    drop = Drop.none(2)
    cond = hallo.condition(batch.inputs, hallo.prepare(batch.inputs, drop), drop)
    wanted = made.process.loss(hallo(noised.x, noised.timestep, cond), noised)
    got = losses(made, batch)
    torch.testing.assert_close(got.loss, wanted)
    assert torch.equal(got.timestep, noised.timestep)
    assert got.error.shape == (2,)


def test_encoding_in_pieces_changes_nothing(store: Path) -> None:
    made, batch = stage(store), batch_of(store)
    whole = losses(made, batch).loss
    made.encode_chunk = 1
    torch.testing.assert_close(losses(made, batch).loss, whole)


def test_a_clip_has_the_same_loss_in_any_batch(store: Path) -> None:
    made = stage(store)
    together = losses(made, batch_of(store), DropRates(0.5, 0.5, 0.5)).error
    alone = [losses(made, batch_of(store, rows=(row,)), DropRates(0.5, 0.5, 0.5)).error for row in (0, 1)]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("rates", [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
def test_every_trained_parameter_has_a_gradient_whatever_is_dropped(
    store: Path, rates: tuple[float, float, float]
) -> None:
    made, batch = stage(store, "model.denoiser.checkpointing=true"), batch_of(store)
    made.setup("fit")
    losses(made, batch, DropRates(*rates)).loss.backward()
    for name, parameter in made.network.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


def test_so_it_has_where_fine_levels_have_no_attention(store: Path) -> None:
    words = ("stage=talking", "size.unet.channels=[8,8]", "size.unet.attention=[false,true]")
    made, batch = stage(store, *words), batch_of(store)
    made.setup("fit")
    losses(made, batch).loss.backward()
    for name, parameter in made.network.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


def test_dropped_audio_teaches_nothing_about_audio(store: Path) -> None:
    made, batch = stage(store), batch_of(store)
    losses(made, batch, DropRates(0.0, 1.0, 0.0)).loss.backward()
    assert float(made.network.audio_projection.proj1.weight.grad.abs().sum()) == 0


def test_lips_that_weigh_more_change_the_loss(store: Path) -> None:
    batch = batch_of(store)
    assert losses(stage(store, "objective.lip_weight=5"), batch).loss != losses(stage(store), batch).loss


def test_cached_latents_are_used_as_they_are(cached: Path) -> None:
    made, batch = stage(cached), batch_of(cached)
    assert batch.frames.shape[2] == 4
    spoilt = replace(batch, frames=batch.frames + 1)
    assert losses(made, batch).loss != losses(made, spoilt).loss
    calls: list[int] = []
    made.network.codec.vae.encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    losses(made, batch)
    assert not calls


@pytest.mark.parametrize("more", ["perceptual=pyramid", "corruption=patch_drop"])
def test_what_needs_pictures_refuses_cached_latents(cached: Path, more: str) -> None:
    with pytest.raises(UserError, match="Cached latents hold no pictures"):
        losses(stage(cached, more), batch_of(cached))


def test_corruption_reaches_the_motion_frames_only(store: Path) -> None:
    plain, spoilt = stage(store), stage(store, "corruption=patch_drop")
    batch = batch_of(store)
    ours, theirs = (one.inputs(batch, one.streams(batch.index, validating=True)) for one in (plain, spoilt))
    assert torch.equal(ours.portrait, theirs.portrait)
    assert not torch.isclose(ours.past, theirs.past).all()


def test_what_cannot_be_trained_by_a_stage_is_said_in_a_sentence(store: Path) -> None:
    with pytest.raises(UserError, match="frames=1"):
        losses(stage_of(store, "stage=appearance"), batch_of(store))
    with pytest.raises(UserError, match=r"samples\.audio=true"):
        losses(stage_of(store), batch_of(store, "data.samples.audio=false"))
    deaf = stage_of(store, "model.audio_projection=null")
    with pytest.raises(UserError, match="audio_projection"):
        losses(deaf, batch_of(store))


def test_stage_one_learns_from_single_frames(store: Path) -> None:
    more = ("stage=appearance",)
    made: Any = stage_of(store, *more)
    made.setup("fit")
    batch = batch_of(store, *more)
    assert (batch.frames.shape[1], batch.inputs.past.shape[1]) == (1, 0)
    losses(made, batch).loss.backward()
    for name, parameter in made.network.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
