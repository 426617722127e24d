from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from hallo_lit.cli.main import main
from hallo_lit.stages.base import Losses
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint
from hallo_lit.stages.motion import MotionStage

from .small import settings

YAML = """# @package _global_
defaults:
  - motion
  - _self_
name: doubled
stage:
  _target_: stages.test_shell.DoubledStage
"""


class DoubledStage(MotionStage):
    """What a newcomer writes: motion that costs twice as much."""

    name: ClassVar[str] = "doubled"

    def losses(self, *args: Any) -> Losses:
        made = super().losses(*args)
        return Losses(2 * made.loss, {"half": made.loss}, made.error, made.timestep)


def test_a_stage_is_added_by_one_class_and_one_yaml(store: Path, tmp_path: Path) -> None:
    (tmp_path / "mine/stage").mkdir(parents=True)
    (tmp_path / "mine/stage/doubled.yaml").write_text(YAML)
    words = settings(store, f"run_dir={tmp_path}/run", "steps=1", "logger=csv", "log_every=1", "stage=doubled")
    assert main(["train", "-cd", str(tmp_path / "mine"), *words]) == 0
    assert read_checkpoint(checkpoint_in(tmp_path / "run")).stage == "doubled"
    header, values = (tmp_path / "run/logs/metrics.csv").read_text().splitlines()[:2]
    row = dict(zip(header.split(","), values.split(","), strict=True))
    assert float(row["train/loss"]) == pytest.approx(2 * float(row["train/half"]))
