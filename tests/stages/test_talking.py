"""The stage that learns person and lips at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hallo_lit.cli.compose import compose
from hallo_lit.errors import UserError
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint
from hallo_lit.stages.running import train
from hallo_lit.stages.talking import TalkingStage

from .small import config


def test_it_begins_from_a_codec_and_not_from_half_an_animator_of_stage_two() -> None:
    assert "codec" in TalkingStage.follows
    assert "motion" not in TalkingStage.follows


def test_everything_but_the_codec_learns() -> None:
    cfg = compose("train", "experiment=tiny_talking")
    assert cfg.stage._target_ == f"{TalkingStage.__module__}.{TalkingStage.__name__}"
    parts = {pattern.split(".")[0] for pattern in cfg.stage.learning.trains}
    assert parts == {
        name for name in cfg.model if name not in ("_target_", "codec", "quirks", "expression_net", "head_net")
    }
    assert (cfg.data.samples.policy.frames, cfg.data.samples.policy.motion) == (4, 0)


SCATTERED = ("stage=talking", "motion_frames=0", "data.samples.policy.motion=0", "data.samples.policy.scattered=true")


def test_frames_out_of_order_are_refused_by_what_looks_along_time(store: Path) -> None:
    with pytest.raises(UserError, match=r"scattered=false"):
        train(config(store, *SCATTERED, "steps=1", "name=no_sequence"))
    train(config(store, *SCATTERED, "steps=1", "name=pictures", "model.denoiser.extras.temporal=false"))


def test_temporal_modules_may_follow(store: Path) -> None:
    """Stage 2 on a model that talks frame by frame: `experiment=tiny_temporal`."""
    words = ("steps=1", "name=frame_by_frame", "model.denoiser.extras.temporal=false")
    train(config(store, *SCATTERED, *words))
    before = Path(config(store, *SCATTERED, *words)["run_dir"])
    after = config(
        store, "stage=motion", "steps=2", "name=along_time", f"init.weights=[{before}]",
        "init.fresh=[denoiser.*.temporal.*]", "process.common_noise=0.5",
    )  # fmt: skip
    train(after)
    old, new = (read_checkpoint(checkpoint_in(Path(run))).network for run in (before, after["run_dir"]))
    added = set(new) - set(old)
    assert added
    assert all(".temporal." in key for key in added)
    assert any(float(new[key].abs().max()) > 0 for key in added if "proj_out" in key)  # they begin at nothing
    changed = {key for key in old if not torch.equal(old[key], new[key])}
    assert changed
    assert all(".audio." in key or key.startswith("audio_projection.") for key in changed)
