from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.stages.checkpoint import (
    AtomicCheckpointIO,
    Checkpoint,
    check_resumable,
    checkpoint_in,
    is_checkpoint,
    newest,
    read_checkpoint,
    rebuild,
)
from hallo_lit.stages.running import train

from .small import EMA, config


@pytest.fixture(scope="module")
def run(store: Path) -> Path:
    """The folder of a short run with averaged weights."""
    made = config(store, "name=short", "steps=3", EMA)
    train(made)
    return Path(made["run_dir"])


def test_a_checkpoint_rebuilds_its_model_from_nothing_else(run: Path) -> None:
    checkpoint = read_checkpoint(checkpoint_in(run))
    assert (checkpoint.stage, checkpoint.step) == ("motion", 3)
    stage = rebuild(checkpoint)
    state = stage.network.state_dict()
    assert set(state) == set(checkpoint.network)
    assert all(torch.equal(state[name], tensor) for name, tensor in checkpoint.network.items())


def test_it_holds_tensors_and_plain_values_only(run: Path) -> None:
    found = torch.load(checkpoint_in(run), weights_only=True)
    assert isinstance(found["hallo_lit"]["config"], str)
    assert set(found) >= {"state_dict", "current_model_state", "optimizer_states", "lr_schedulers", "loops"}
    averaged, current = found["state_dict"], found["current_model_state"]
    assert any(not torch.equal(averaged[name], current[name]) for name in averaged)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "step.ckpt"
    AtomicCheckpointIO().save_checkpoint({"number": 1}, path)

    class Unwritable:
        def __reduce__(self) -> Any:
            raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left"):
        AtomicCheckpointIO().save_checkpoint({"tensor": torch.ones(9), "bad": Unwritable()}, path)
    assert torch.load(path, weights_only=True) == {"number": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["step.ckpt"]


def test_half_written_files_are_never_taken(tmp_path: Path) -> None:
    for name in ("step0000010.ckpt", "step0000009.ckpt", ".part-abc.ckpt"):
        (tmp_path / name).write_bytes(b"x")
    assert newest(tmp_path) == tmp_path / "step0000010.ckpt"
    assert newest(tmp_path / "absent") is None


def test_what_is_no_checkpoint_is_refused_in_a_sentence(tmp_path: Path, run: Path) -> None:
    whole = checkpoint_in(run)
    half = tmp_path / "half.ckpt"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    foreign = tmp_path / "foreign.ckpt"
    torch.save({"state_dict": {"a": torch.ones(1)}}, foreign)
    text = tmp_path / "text.ckpt"
    text.write_text("hello")
    for path, words in (
        (half, "damaged"),
        (foreign, "does not say how"),
        (text, "neither"),
        (tmp_path / "no.ckpt", "exist"),
    ):
        with pytest.raises(UserError, match=words):
            read_checkpoint(path)
        assert not is_checkpoint(path)
    assert is_checkpoint(whole)


def test_code_of_strangers_is_not_built(run: Path) -> None:
    good = read_checkpoint(checkpoint_in(run))
    bad = Checkpoint(good.path, good.stage, good.step, {"stage": {"_target_": "os.system", "command": "x"}}, good.state)
    with pytest.raises(UserError, match=r"os\.system"):
        rebuild(bad)


def test_another_network_or_stage_does_not_resume(run: Path, store: Path) -> None:
    checkpoint = read_checkpoint(checkpoint_in(run))
    check_resumable(checkpoint, "motion", config(store, "model.denoiser.checkpointing=true"))
    with pytest.raises(UserError, match=r"audio_tokens|tokens was 2 and is 3"):
        check_resumable(checkpoint, "motion", config(store, "size.audio_tokens=3"))
    with pytest.raises(UserError, match=r"init\.weights"):
        check_resumable(checkpoint, "appearance", config(store, "stage=appearance"))
