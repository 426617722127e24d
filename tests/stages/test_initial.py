from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.stages.appearance import AppearanceStage
from hallo_lit.stages.initial import begin
from hallo_lit.stages.learning import Learning
from hallo_lit.stages.motion import MotionStage
from hallo_lit.stages.running import train
from hallo_lit.weights.bundle import save_bundle
from hallo_lit.weights.strict import KeyMismatch, shapes_of
from weights.configs import tiny
from weights.foreign import state

from .small import config, stage_of

FRESH = ["audio_projection.*", "denoiser.*.audio.*", "denoiser.*.temporal.*"]


@pytest.fixture(scope="module")
def codec(store: Path) -> str:
    made = config(store, "stage=codec", "name=codec", "steps=1")
    train(made)
    return str(made["run_dir"])


@pytest.fixture(scope="module")
def appearance(store: Path, codec: str) -> str:
    fresh = "init.fresh=[reference_net.*,denoiser.*,face_locator.*,identity_projection.*]"
    made = config(store, "stage=appearance", "name=looks", "steps=1", f"init.weights=[{codec}]", fresh)
    train(made)
    return str(made["run_dir"])


def test_stage_two_begins_from_stage_one(store: Path, appearance: str) -> None:
    stage: Any = stage_of(store)
    begun = begin(stage, [appearance], FRESH, config(store))
    trained = torch.load(next(Path(appearance).glob("checkpoints/*.ckpt")), weights_only=True)["state_dict"]
    ours = stage.network.state_dict()
    shared = {key.removeprefix("network."): tensor for key, tensor in trained.items()}
    assert all(torch.equal(ours[key], tensor) for key, tensor in shared.items())
    assert set(begun.fresh) == set(ours) - set(shared)
    assert stage.untrained == begun.fresh


def test_what_is_left_out_of_the_weights_begins_untrained(store: Path, appearance: str) -> None:
    stage: Any = stage_of(store)
    lost = "denoiser.conv_out.weight"
    before = stage.network.state_dict()[lost].clone()
    begun = begin(stage, [appearance], [*FRESH, lost], config(store), without=[lost])
    assert lost in begun.fresh
    assert torch.equal(stage.network.state_dict()[lost], before)
    with pytest.raises(UserError, match="lack 1 tensors of denoiser"):
        begin(stage_of(store), [appearance], FRESH, config(store), without=[lost])


def test_the_codec_of_stage_one_is_the_trained_one(store: Path, codec: str, appearance: str) -> None:
    first, second = (
        torch.load(next(Path(run).glob("checkpoints/*.ckpt")), weights_only=True)["state_dict"]
        for run in (codec, appearance)
    )
    for key, tensor in first.items():
        assert torch.equal(second[key.replace("network.", "network.codec.")], tensor)


def test_a_stage_out_of_order_is_refused(store: Path, codec: str, appearance: str) -> None:
    with pytest.raises(UserError, match="is of stage=codec; stage=motion begins from appearance"):
        begin(stage_of(store), [codec], FRESH, config(store))
    with pytest.raises(UserError, match="is of stage=appearance; stage=identity begins from motion"):
        begin(stage_of(store, "stage=identity"), [appearance], [], config(store, "stage=identity"))


def test_nothing_to_begin_from_is_said(store: Path) -> None:
    with pytest.raises(UserError, match=r"stage=motion does not begin from nothing.*stage=appearance"):
        begin(stage_of(store), [], FRESH, config(store))


def test_a_checkpoint_of_another_size_is_refused_by_name(store: Path, appearance: str) -> None:
    with pytest.raises(KeyMismatch, match="misshapen"):
        begin(stage_of(store, "size.unet.context_dim=16"), [appearance], FRESH, config(store))


def test_a_checkpoint_that_is_not_there_is_refused(store: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.ckpt"):
        begin(stage_of(store), ["nowhere.ckpt"], FRESH, config(store))


def test_a_bundle_serves_as_well_and_later_sources_win(store: Path, tmp_path: Path, appearance: str) -> None:
    made, other = stage_of(store), stage_of(store, "seed=1")
    folder = save_bundle(tmp_path / "bundle", other.network, {"model": config(store)["model"]})
    begin(made, [appearance, str(folder)], [], config(store))
    ours, theirs = made.network.state_dict(), other.network.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def public(folder: Path, model: dict[str, Any], *names: str) -> list[str]:
    """Files in the layout of public weights that fit a small model."""
    networks = {name: shapes_of(part) for name, part in build(model).named_children()}
    generator = torch.Generator().manual_seed(0)
    paths = [folder / f"{name}.ckpt" for name in names]
    for name, path in zip(names, paths, strict=True):
        torch.save(state(name, networks, generator), path)
    return [str(path) for path in paths]


def test_the_paper_begins_from_public_weights(tmp_path: Path) -> None:
    model = tiny()["model"]
    learning = Learning(["*"], torch.optim.AdamW)
    sources = public(tmp_path, model, "sd15-unet", "sd-vae-ft-mse")
    looks = AppearanceStage(build({**model, "audio_projection": None}), NoiseProcess(), learning)
    with pytest.raises(UserError, match=r"tensors of .*identity_projection"):
        begin(looks, sources, ["face_locator.*", "denoiser.*"], {"model": model})
    begun = begin(looks, sources, ["face_locator.*", "identity_projection.*", "denoiser.*.audio.*", "*.temporal.*"], {})
    assert not any(key.startswith(("codec.", "reference_net.")) for key in begun.fresh)
    seen, asked = looks.network.reference_net.conv_in.weight, looks.network.denoiser.conv_in.weight
    assert torch.equal(seen, asked)  # both from the same file

    talks = MotionStage(build(model), NoiseProcess(), learning)
    bundle = save_bundle(tmp_path / "bundle", looks.network, {"model": model})
    motion = public(tmp_path, model, "animatediff-v2")
    begun = begin(talks, [str(bundle), *motion], ["audio_projection.*", "denoiser.*.audio.*"], {"model": model})
    assert {".audio." in key or key.startswith("audio_projection.") for key in begun.fresh} == {True}
