from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.cli.compose import compose
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint, rebuild
from hallo_lit.stages.running import train

from .small import config

PERSON = ("stage=identity", "init.fresh=[]", "steps=2", "optimizer.lr=0.1")
WHOLE = ("stage.lora=null", "stage.learning.trains=[denoiser.*.audio.*]")


@pytest.fixture(scope="module")
def motion(store: Path) -> Path:
    made = config(store, "name=for_a_person", "steps=1")
    train(made)
    return Path(made["run_dir"])


def tuned(store: Path, motion: Path, *more: str) -> tuple[dict[str, Any], Any]:
    """The network before and after."""
    settings = config(store, *PERSON, f"init.weights=[{motion}]", *more)
    train(settings)
    before = read_checkpoint(checkpoint_in(motion)).network
    return before, rebuild(read_checkpoint(checkpoint_in(Path(settings["run_dir"]))))


def test_all_of_the_layers_named_may_train(store: Path, motion: Path) -> None:
    before, stage = tuned(store, motion, *WHOLE, "name=whole_person")
    after = stage.product().state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert set(after) == set(before)
    assert changed
    assert all(name.startswith("denoiser.") and ".audio." in name for name in changed)


def test_factors_leave_the_layers_beside_them_alone(store: Path, motion: Path) -> None:
    before, stage = tuned(store, motion, "name=factors")
    kept = {name.replace(".base_layer", ""): tensor for name, tensor in stage.network.state_dict().items()}
    assert all(torch.equal(kept[name], tensor) for name, tensor in before.items())
    after = stage.product().state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_factors_come_from_the_seed(store: Path, motion: Path) -> None:
    nets = []
    for name in ("drawn", "drawn_again"):
        torch.rand(3)
        settings = config(store, *PERSON, f"init.weights=[{motion}]", "seed=3", f"name={name}")
        train(settings)
        nets.append(read_checkpoint(checkpoint_in(Path(settings["run_dir"]))).network)
    assert all(torch.equal(tensor, nets[1][name]) for name, tensor in nets[0].items())


def test_samples_show_the_person_before_and_after() -> None:
    cfg = compose("train", "experiment=identity")
    assert cfg.callbacks.samples.at_start
    assert not compose("train", "experiment=tiny_motion").callbacks.samples.at_start
