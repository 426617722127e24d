from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._pytree import tree_flatten

from hallo_lit.errors import UserError
from hallo_lit.stages.running import checkpoint_to_resume, make_data, make_trainer, train

from .small import ALL, EMA, batch_of, config, stage_of


def state_after(settings: dict[str, Any], step: int) -> dict[str, Any]:
    path = Path(settings["run_dir"]) / f"checkpoints/step{step:07d}.ckpt"
    return torch.load(path, weights_only=True)


def test_resuming_repeats_the_uninterrupted_run_to_the_bit(store: Path) -> None:
    words = (ALL, EMA, "steps=5", "save_every=3", "schedule.warm_up=4", "accumulate=2", "keep=9")
    whole = config(store, *words, "name=whole")
    train(whole)
    train(config(store, *words, "name=parts", "steps=3"))
    parts = config(store, *words, "name=parts", "resume=auto")
    train(parts)
    ours, theirs = state_after(whole, 5), state_after(parts, 5)
    for part in ("state_dict", "current_model_state"):
        assert all(torch.equal(tensor, theirs[part][name]) for name, tensor in ours[part].items())
    assert ours["lr_schedulers"][0]["_last_lr"] == theirs["lr_schedulers"][0]["_last_lr"]
    moments, again = (state["optimizer_states"][0]["state"] for state in (ours, theirs))
    assert all(torch.equal(moments[key]["exp_avg"], again[key]["exp_avg"]) for key in moments)
    assert ours["ClipDataModule"]["sampler"] == theirs["ClipDataModule"]["sampler"]


def test_states_of_eight_bits_resume_to_the_bit(store: Path) -> None:
    pytest.importorskip("bitsandbytes")
    eight = {"_target_": "hallo_lit.stages.learning.adamw_8bit", "_partial_": True, "lr": 0.01}

    def run(name: str, *words: str) -> dict[str, Any]:
        settings = config(store, ALL, "size.unet.channels=[32]", f"name={name}", "save_every=2", "keep=9", *words)
        settings["stage"]["learning"]["optimizer"] = eight
        train(settings)
        return settings

    whole = run("whole8", "steps=4")
    run("parts8", "steps=2")
    ours, theirs = (state_after(run_of, 4) for run_of in (whole, run("parts8", "steps=4", "resume=auto")))
    assert all(torch.equal(tensor, theirs["state_dict"][name]) for name, tensor in ours["state_dict"].items())
    moments, again = (tree_flatten(state["optimizer_states"][0]["state"])[0] for state in (ours, theirs))
    both = [pair for pair in zip(moments, again, strict=True) if isinstance(pair[0], torch.Tensor)]
    assert torch.uint8 in {first.dtype for first, _ in both}  # of tensors of 4096 numbers and more
    assert all(torch.equal(first, second) for first, second in both)


def test_training_lowers_the_loss_and_leaves_the_frozen_alone(store: Path) -> None:
    settings = config(store, "name=lower", "steps=8", "optimizer.lr=0.003", "optimizer.weight_decay=0.1")
    before = stage_of(store)
    train(settings)
    after = {key.removeprefix("network."): value for key, value in state_after(settings, 8)["state_dict"].items()}
    for name, parameter in before.network.named_parameters():
        trained = name.startswith("audio_projection") or ".audio." in name or ".temporal." in name
        frozen = torch.equal(parameter, after[name])
        assert frozen or trained or name.startswith("codec."), name  # the codec's linear part was fitted
    batch = batch_of(store)
    losses = []
    for weights in (before.network.state_dict() | {k: v for k, v in after.items() if "codec" in k}, after):
        stage: Any = stage_of(store)
        stage.network.load_state_dict(weights)
        streams = stage.streams(batch.index, validating=True)
        losses.append(float(stage.losses(batch, streams, stage.objective.drop_rates).loss.detach()))
    assert losses[1] < losses[0]


def test_gradients_are_clipped(store: Path) -> None:
    from hallo_lit.stages.running import make_stage

    norms: list[float] = []
    settings = config(store, ALL, "name=clipped", "steps=3", "clip_norm=0.01", "optimizer._target_=torch.optim.SGD")
    settings["stage"]["learning"]["optimizer"] = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 1.0}
    stage, trainer, data = make_stage(settings), make_trainer(settings), make_data(settings)
    before = [parameter.detach().clone() for parameter in stage.network.parameters()]
    hook = stage.on_train_batch_end

    def measure(*args: Any) -> None:
        moved = [p.detach() - b for p, b in zip(stage.network.parameters(), before, strict=True)]
        norms.append(float(torch.stack([m.square().sum() for m in moved]).sum().sqrt()))
        before[:] = [parameter.detach().clone() for parameter in stage.network.parameters()]
        hook(*args)

    stage.on_train_batch_end = measure  # type: ignore[method-assign]
    trainer.fit(stage, datamodule=data)
    assert norms == pytest.approx([0.01] * 3, rel=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_other_precisions_keep_weights_in_fp32(store: Path, precision: str) -> None:
    settings = config(store, f"precision={precision}", f"name={precision}", "steps=2")
    train(settings)
    state = state_after(settings, 2)["state_dict"]
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state.values())


def test_a_begun_run_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    assert checkpoint_to_resume(None, tmp_path) is None
    assert checkpoint_to_resume("auto", tmp_path) is None
    (folder / "step0000005.ckpt").touch()
    with pytest.raises(UserError, match="resume=auto"):
        checkpoint_to_resume(None, tmp_path)
    assert checkpoint_to_resume("auto", tmp_path) == folder / "step0000005.ckpt"
    assert checkpoint_to_resume(str(tmp_path), tmp_path / "new") == folder / "step0000005.ckpt"
    with pytest.raises(UserError, match="no checkpoint"):
        checkpoint_to_resume("nowhere", tmp_path / "new")


def test_a_run_goes_on_with_the_settings_of_its_optimiser_as_they_are_now(store: Path) -> None:
    words = ("name=slower", "callbacks=none", "schedule.warm_up=4")
    train(config(store, *words, "steps=2"))
    slower = config(store, *words, "steps=3", "resume=auto", "optimizer.lr=1e-3", "optimizer.weight_decay=0.5")
    train(slower)
    (state,) = state_after(slower, 3)["optimizer_states"]
    (group,) = state["param_groups"]
    assert group["initial_lr"] == 1e-3
    assert group["lr"] == pytest.approx(1e-3)
    assert group["weight_decay"] == 0.5


def test_data_without_a_class_is_refused() -> None:
    with pytest.raises(UserError, match="data does not say what it is"):
        make_data({"data": {"store": "clips"}})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["auxiliary=viseme"], r"it lacks terms\.viseme"),
        (["stage.learning.trains=[denoiser.*]"], "give the same stage.learning.trains"),
    ],
)
def test_resuming_with_other_settings_is_refused(store: Path, more: list[str], words: str) -> None:
    name = f"name=resumed_{more[0].partition('=')[0]}"
    train(config(store, name, "steps=1"))
    with pytest.raises(UserError, match=words):
        train(config(store, name, "steps=2", "resume=auto", *more))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["data.store=nowhere"], "nowhere is not a clip store"),
        (["check_store=[audio]"], "hold audio features of LogMel"),
        (["check_store=[phonemes]"], "check_store knows audio and identity"),
        (["save_every=0"], "save_every=0 must be at least 1"),
        (["data.batch_size=-1"], "data.batch_size=-1 must be at least 1"),
        (["optimizer.lr=-0.1"], "optimizer.lr=-0.1 must be at least 0"),
        (["corruption=patch_drop", "motion_frames=0"], "corruption spoils motion frames"),
        (["size.unet.channels=[8,8,8,8,8]", "size.unet.attention=[1,1,1,1,1]"], "multiples of 32"),
        (["precision=fp8"], "precision=fp8 is not known"),
        (["trainer=gpu"], "This trainer is not possible here"),
        (["trainer=slurm", "trainer.accelerator=cpu", "trainer.devices=1"], "trainer=slurm is for the tasks of `srun`"),
        (["init.fresh=[]"], "does not begin from nothing"),
        (["stage.learning.trains=[denoiser.*.autio.*]"], "names no parameter"),
        (["schedule.shape=cosine", "schedule.warm_up=9"], "no room for 9 steps"),
        (["data.samples.policy.frames=40"], "40"),
        (["+callbacks.ema={decay: 0.9}"], "ema is set to .* without saying what it is"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(store: Path, more: list[str], words: str) -> None:
    if any("trainer=gpu" in word for word in more) and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UserError, match=words) as error:
        train(config(store, "name=wrong", "steps=2", *more))
    assert "\n" not in str(error.value)
    assert not list((store.parent / "out/train/wrong").glob("checkpoints/*"))
