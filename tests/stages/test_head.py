"""The stage that teaches heads to turn."""

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

WORDS = (
    "stage=head",
    "model.head_net={_target_: hallo_lit.components.head_net.HeadNet,"
    " controls: [open, round], width: 8, blocks: 1, groups: 4, cell: 4, size: 32, margin: 1.5}",
)


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("heads") / "clips")


@pytest.fixture(scope="module")
def run(heads: Path) -> Path:
    words = ("init.fresh=['*']", "steps=150", "optimizer.lr=0.002", "callbacks=default", "sample_every=150")
    made = config(heads, *WORDS, *words, "name=head")
    train(made)
    return Path(made["run_dir"])


def test_only_the_net_learns_and_frames_come_nearer(heads: Path, run: Path, tmp_path: Path) -> None:
    stage: Any = stage_of(heads, *WORDS)
    batch = batch_of(heads, *WORDS)
    before = {key: tensor.clone() for key, tensor in stage.network.state_dict().items()}
    losses = []
    for state in (stage.state_dict(), read_checkpoint(checkpoint_in(run)).state):
        stage.load_state_dict(dict(state))
        losses.append(stage.losses(batch, stage.streams(batch.index, validating=True), NOTHING_DROPPED))
    assert losses[0].parts["left"] == pytest.approx(1, abs=1e-3)
    assert losses[1].parts["left"] < 0.97
    changed = {key for key, tensor in stage.network.state_dict().items() if not torch.equal(tensor, before[key])}
    assert {key.partition(".")[0] for key in changed} == {"head_net", "codec"}  # that of an untrained model is fitted
    export([run], tmp_path / "bundle")
    kept: Any = load_bundle(tmp_path / "bundle").model
    assert (kept.head_net.controls, kept.head_net.margin, kept.head_net.size) == (("open", "round"), 1.5, 32)


def test_sample_videos_show_what_it_moves(heads: Path, run: Path) -> None:
    assert len([*(run / "samples").glob("*.mp4")]) == 2
    stage: Any = stage_of(heads, *WORDS)
    stage.load_state_dict(dict(read_checkpoint(checkpoint_in(run)).state))
    data: Any = make_data(config(heads, *WORDS))
    data.setup("fit")
    (clip,) = first_clips(data.train_set, 1, 10)
    made = stage.film(clip)
    assert made.shape == clip.frames.shape
    torch.testing.assert_close(made[0], clip.portrait.pixels, rtol=1e-3, atol=1e-3)
    still, moved = ((clip.frames - frames).abs().mean() for frames in (clip.frames[:1], made))
    assert moved < still


def test_lips_move_with_the_head_and_do_not_count(heads: Path) -> None:
    stage: Any = stage_of(heads, *WORDS)
    batch = batch_of(heads, *WORDS)
    with torch.no_grad():
        stage.network.head_net.conv_out.weight.normal_(0, 0.1)
        batch.inputs.regions[:, ..., 2, :, :] = 1
        pictures, _ = stage.moved(batch.inputs)
        assert (pictures - batch.inputs.portrait[:, None]).abs().mean() > 1e-3
        streams = stage.streams(batch.index, validating=True)
        assert stage.losses(batch, streams, NOTHING_DROPPED).loss == 0


def test_what_is_missing_is_said(heads: Path) -> None:
    with pytest.raises(UserError, match=r"trains model\.head_net, and this model has none"):
        stage_of(heads, "stage=head", "model.head_net=null", "data.samples.expression=[]", "data.samples.size=[32,32]")
    stage: Any = stage_of(heads, *WORDS)
    streams = stage.streams(torch.tensor([0]), validating=True)
    with pytest.raises(UserError, match=r"\{model\.head_net\.controls\}"):
        stage.losses(batch_of(heads, *WORDS, "data.samples.expression=[]"), streams, NOTHING_DROPPED)
    with pytest.raises(UserError, match=r"names 1 controls, and model\.head_net is told open, round"):
        stage.losses(batch_of(heads, *WORDS, "data.samples.expression=[open]"), streams, NOTHING_DROPPED)
