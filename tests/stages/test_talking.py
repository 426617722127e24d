"""The stage that learns person and lips at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.cli.compose import compose
from hallo_lit.errors import UserError
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
