"""The stage that teaches the codec's decoder what predictions look like."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from hallo_lit.animation.handover import PixelHandover
from hallo_lit.animation.video_generator import Recipe, VideoGenerator
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.errors import UserError
from hallo_lit.stages.base import NOTHING_DROPPED
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint
from hallo_lit.stages.decoder import DecoderStage
from hallo_lit.stages.export import export
from hallo_lit.stages.running import train
from hallo_lit.structs import Portrait
from hallo_lit.weights.bundle import load_bundle

from .small import SIZE, batch_of, config, make_store, stage_of

CODEC = (
    "size.codec._target_=hallo_lit.components.finished_codec.FinishedCodec",
    *("~size.codec.channels", "~size.codec.layers", "size.codec.groups=4", "+size.codec.factor=2"),
    *("+size.codec.width=8", "+size.codec.blocks=1", "+size.codec.cell=2"),
)
TALKER = ("process=reference_preconditioned", "process.prior.spread=null", "+process.prior.channels=4", *CODEC)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("faces") / "clips", landmarks=True)


@pytest.fixture(scope="module")
def talking(faces: Path) -> Path:
    made = config(faces, *TALKER, "stage=talking", "name=talking", "steps=3", "data.samples.masks=portrait")
    train(made)
    return Path(made["run_dir"])


def test_a_run_measures_its_prior_and_keeps_it(talking: Path) -> None:
    checkpoint = read_checkpoint(checkpoint_in(talking))
    spread = checkpoint.state["prior.spread"]
    assert spread.shape == (3, 4)
    assert (spread > 0).all()


def test_only_the_decoder_learns_and_its_pictures_improve(faces: Path, talking: Path) -> None:
    made = config(
        faces, *TALKER, "stage=decoder", "name=decoder", "steps=30", "optimizer.lr=0.002", f"init.weights=[{talking}]",
        "init.fresh=[codec.finish.*]",
    )  # fmt: skip
    train(made)
    before, after = (read_checkpoint(checkpoint_in(path)) for path in (talking, Path(made["run_dir"])))
    changed = {key for key, tensor in after.network.items() if not torch.equal(tensor, before.network[key])}
    assert changed
    assert all(key.startswith("codec.finish.") for key in changed)
    stage: Any = stage_of(faces, *TALKER, "stage=decoder")
    batch = batch_of(faces, *TALKER, "stage=decoder")
    losses = []
    for checkpoint in (before, after):
        stage.load_state_dict(dict(checkpoint.state))
        losses.append(stage.losses(batch, stage.streams(batch.index, validating=True), NOTHING_DROPPED).loss.item())
    assert losses[1] < losses[0]


def test_latents_alone_are_refused(cached: Path) -> None:
    stage: Any = stage_of(cached, *CODEC, "stage=decoder")
    batch = batch_of(cached, *CODEC, "stage=decoder", "data.samples.source=latents")
    with pytest.raises(UserError, match="source=pixels"):
        stage.losses(batch, stage.streams(batch.index, validating=True), NOTHING_DROPPED)


def test_a_bundle_holds_what_was_measured(talking: Path, tmp_path: Path) -> None:
    export([talking], tmp_path / "bundle", notes="## Judged\n\nby ear")
    bundle = load_bundle(tmp_path / "bundle")
    kept = read_checkpoint(checkpoint_in(talking)).state["prior.spread"]
    assert bundle.config["process"]["prior"]["spread"]["lip"] == pytest.approx(kept[2].tolist())
    card = (tmp_path / "bundle" / "README.md").read_text()
    assert card.index("- stage: talking") < card.index("by ear")


def test_a_later_stage_keeps_the_prior_of_what_it_begins_from(faces: Path, talking: Path, tmp_path: Path) -> None:
    """Measured anew on other clips it would be another one than the denoiser was trained with."""
    kept = read_checkpoint(checkpoint_in(talking)).state["prior.spread"]
    others = make_store(tmp_path / "others", clips=2, frames=12, landmarks=True)
    bundle = export([talking], tmp_path / "bundle")
    for number, (stage, start) in enumerate((("decoder", talking), ("talking", bundle))):
        name = f"name=later{number}"
        words = (*TALKER, f"stage={stage}", name, "steps=1", f"init.weights=[{start}]", "init.fresh=[codec.finish.*]")
        made = config(others, *words)
        train(made)
        later = read_checkpoint(checkpoint_in(Path(made["run_dir"]))).state["prior.spread"]
        torch.testing.assert_close(later, kept)


def test_losses_that_it_would_not_look_at_are_refused(faces: Path) -> None:
    with pytest.raises(UserError, match="perceptual=none"):
        stage_of(faces, *CODEC, "stage=decoder", "perceptual=pyramid")


def test_whole_samples_are_what_an_animator_makes(faces: Path, talking: Path) -> None:
    """One clip, its own noise: the latents of a VideoGenerator that is given the same."""
    words = (
        *TALKER,
        "stage=decoder",
        "motion_frames=0",
        "sampler.steps=3",
        "stage.sampler=${sampler}",
        "shared_noise=true",
    )
    words += ("guidance=audio", "guidance.scale=3", "cfg_scale=3")
    stage: Any = stage_of(faces, *words)
    stage.load_state_dict(dict(read_checkpoint(checkpoint_in(talking)).state))
    stage.eval()
    batch = batch_of(faces, *words)
    streams = stage.streams(batch.index, validating=True)
    made = stage.sampled(batch, streams, stage.sampler)
    assert made.shape == (*batch.frames.shape[:2], 4, SIZE // 2, SIZE // 2)
    noise = streams.normal("noise", made[:, :1])
    recipe = Recipe(stage.process, stage.sampler, stage.guidance, (1.0, 1.0, 1.0), batch.frames.shape[1], 0)
    for clip, shown in enumerate(made):
        told = batch.inputs
        portrait = Portrait(
            told.portrait[clip], told.regions[clip], told.locator[clip], told.identity[clip], (0, 0, 1, 1)
        )
        video = VideoGenerator(stage.network, recipe, portrait, PixelHandover(), torch.Generator())
        alone = video.sample(told.audio[clip], noise[clip : clip + 1].expand(-1, len(shown), -1, -1, -1))
        torch.testing.assert_close(shown, alone, rtol=1e-3, atol=1e-4)
    losses = stage.losses(batch, streams, NOTHING_DROPPED)
    assert losses.timestep is None
    assert losses.error.shape == (len(made),)
    losses.loss.backward()
    assert {name.partition(".")[0] for name, p in stage.network.named_parameters() if p.grad is not None} == {"codec"}


def test_a_process_that_is_not_sampled_is_refused(faces: Path) -> None:
    stage: Any = stage_of(faces, *CODEC, "stage=decoder")
    with pytest.raises(UserError, match=r"stage\.sampler=null"):
        DecoderStage(stage.network, SimpleNamespace(), stage.learning, sampler=Sampler())  # type: ignore[arg-type]
