"""The run behind a row: begun once, gone on with, never repeated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.evaluation.sweeps.training import identity_of, steps_of, trained

CONFIG: Mapping[str, Any] = {"steps": 5, "name": "a", "group": None, "fusion": {"x": 1}, "resume": None}


def write(run: Path, step: int) -> None:
    (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    found = {"hallo_lit": {"stage": "motion", "config": "{}"}, "global_step": step, "state_dict": {"x": torch.ones(1)}}
    torch.save(found, run / "checkpoints" / f"step{step:07d}.ckpt")


def test_names_do_not_make_a_run_another_one_but_settings_do() -> None:
    assert identity_of(CONFIG) == identity_of({**CONFIG, "name": "b", "group": "g", "run_dir": "elsewhere"})
    assert identity_of(CONFIG) != identity_of({**CONFIG, "fusion": {"x": 2}})


def test_a_run_is_begun_gone_on_with_and_then_left_alone(tmp_path: Path) -> None:
    run, asked = tmp_path / "run", []

    def three_steps(config: Mapping[str, Any]) -> None:
        asked.append(config["resume"])
        write(run, steps_of(run) + 3)

    config = {**CONFIG, "run_dir": str(run)}
    with pytest.raises(UserError, match="call the sweep again"):
        trained(config, three_steps)
    assert trained(config, three_steps) == run
    assert trained(config, three_steps) == run
    assert asked == [None, "auto"]
    assert steps_of(run) == 6


def test_a_terminated_run_is_not_taken_for_a_finished_one(tmp_path: Path) -> None:
    run = tmp_path / "run"

    def terminated(config: Mapping[str, Any]) -> int:
        write(run, 5)
        return 143

    with pytest.raises(UserError, match="ended early"):
        trained({**CONFIG, "run_dir": str(run)}, terminated)
