"""The stage that teaches lids, brows and gaze."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.stages.base import NOTHING_DROPPED
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint
from hallo_lit.stages.export import export
from hallo_lit.stages.filmed import first_clips
from hallo_lit.stages.running import make_data, train
from hallo_lit.weights.bundle import load_bundle

from .small import batch_of, config, make_store, stage_of

NET = (
    "model.expression_net={_target_: hallo_lit.components.expression_net.ExpressionNet,"
    " controls: [open, round], width: 8, blocks: 1, groups: 4}"
)
WORDS = (NET, "data.samples.expression=[open,round]")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("faces") / "clips")


@pytest.fixture(scope="module")
def talking(faces: Path) -> Path:
    made = config(faces, *WORDS, "stage=talking", "name=talking", "steps=2")
    train(made)
    return Path(made["run_dir"])


def test_only_the_net_learns_and_frames_come_nearer(faces: Path, talking: Path, tmp_path: Path) -> None:
    words = (*WORDS, "stage=expression", f"init.weights=[{talking}]", "init.fresh=[]")
    made = config(faces, *words, "name=expression", "steps=200", "optimizer.lr=0.002")
    train(made)
    before, after = (read_checkpoint(checkpoint_in(path)) for path in (talking, Path(made["run_dir"])))
    changed = {key for key, tensor in after.network.items() if not torch.equal(tensor, before.network[key])}
    assert changed
    assert all(key.startswith("expression_net.") for key in changed)
    stage: Any = stage_of(faces, *words)
    batch = batch_of(faces, *words)
    losses = []
    for checkpoint in (before, after):
        stage.load_state_dict(dict(checkpoint.state))
        losses.append(stage.losses(batch, stage.streams(batch.index, validating=True), NOTHING_DROPPED))
    assert losses[0].parts["left"] == pytest.approx(1, abs=1e-3)
    assert losses[1].parts["l1"] < losses[0].parts["l1"]
    assert losses[1].timestep is None
    export([Path(made["run_dir"])], tmp_path / "bundle")
    kept: Any = load_bundle(tmp_path / "bundle").model
    assert kept.expression_net.controls == ("open", "round")


def test_scattered_frames_will_do_whatever_the_denoiser_looks_at(faces: Path, talking: Path) -> None:
    """It is not asked; `stage=talking` refuses such samples where it has temporal modules."""
    words = (*WORDS, "stage=expression", f"init.weights=[{talking}]", "init.fresh=[]", "name=scattered", "steps=1")
    made = config(faces, *words, "data.samples.policy.scattered=true", "data.samples.policy.motion=0")
    assert made["model"]["denoiser"]["extras"]["temporal"]
    train(made)
    assert read_checkpoint(checkpoint_in(Path(made["run_dir"]))).step == 1


def test_the_lips_do_not_count(faces: Path) -> None:
    stage: Any = stage_of(faces, *WORDS, "stage=expression")
    batch = batch_of(faces, *WORDS, "stage=expression")
    streams = stage.streams(batch.index, validating=True)
    with torch.no_grad():
        usual = stage.losses(batch, streams, NOTHING_DROPPED).loss
        batch.inputs.regions[:, ..., 2, :, :] = 1
        assert usual > 0
        assert stage.losses(batch, streams, NOTHING_DROPPED).loss == 0


def test_what_is_missing_is_said(faces: Path) -> None:
    with pytest.raises(UserError, match="has none"):
        stage_of(faces, "stage=expression", "model.expression_net=null", "data.samples.expression=[]")
    with pytest.raises(UserError, match="process=reference_preconditioned"):
        stage_of(faces, *WORDS, "stage=expression", "model.denoiser.reference_input=false")
    stage: Any = stage_of(faces, *WORDS, "stage=expression")
    batch = batch_of(faces, *WORDS, "stage=expression", "data.samples.expression=[]")
    with pytest.raises(UserError, match="true controls"):
        stage.losses(batch, stage.streams(batch.index, validating=True), NOTHING_DROPPED)
    with pytest.raises(UserError, match="perceptual=none"):
        stage_of(faces, *WORDS, "stage=expression", "perceptual=pyramid")


def test_latents_alone_are_refused(cached: Path) -> None:
    words = (*WORDS, "stage=expression", "data.samples.source=latents")
    stage: Any = stage_of(cached, *words)
    batch = batch_of(cached, *words)
    with pytest.raises(UserError, match="source=pixels"):
        stage.losses(batch, stage.streams(batch.index, validating=True), NOTHING_DROPPED)


def test_sample_videos_are_told_the_true_ones(faces: Path) -> None:
    data: Any = make_data(config(faces, *WORDS, "stage=expression"))
    data.setup("fit")
    (clip,) = first_clips(data.train_set, 1, 10)
    assert clip.expression is not None
    assert clip.expression.shape == (10, 2)
    assert not clip.expression[0].any()
    assert clip.expression[5].any()


def test_it_may_learn_beside_the_denoiser(faces: Path) -> None:
    """No parameter goes without a gradient, so that several processes need no special flag."""
    words = (*WORDS, "stage=talking", "stage.learning.trains=[denoiser.*,expression_net.*]")
    stage: Any = stage_of(faces, *words)
    stage.setup("fit")
    with torch.no_grad():
        stage.network.expression_net.conv_out.weight.normal_(0, 0.1)
    batch = batch_of(faces, *words)
    stage.losses(batch, stage.streams(batch.index, validating=True), NOTHING_DROPPED).loss.backward()
    without = [name for name, p in stage.network.expression_net.named_parameters() if p.grad is None]
    assert not without


@pytest.mark.parametrize("words", [(), (NET.replace("[open, round]", "[open]"),)])
def test_expressions_that_the_model_is_not_told_are_refused(faces: Path, words: tuple[str, ...]) -> None:
    chosen = (*words, "stage=talking", "data.samples.expression=[open,round]")
    stage: Any = stage_of(faces, *chosen)
    batch = batch_of(faces, *chosen)
    with pytest.raises(UserError, match="names 2 controls"):
        stage.losses(batch, stage.streams(batch.index, validating=True), NOTHING_DROPPED)
