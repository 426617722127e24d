from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from hallo_lit.components.hallo import Hallo
from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.weights.bundle import fill_model, load_bundle, open_bundle, save_bundle
from hallo_lit.weights.index import INDEX, write_index
from hallo_lit.weights.strict import KeyMismatch

PARTS = ["audio_projection", "codec", "denoiser", "face_locator", "identity_projection", "reference_net"]
MEL = "hallo_lit.components.projections.IdentityProjection"  # any small module of ours stands for a trained encoder


class Holder(nn.Module):
    """A model with a buffer that its state dict leaves out."""

    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Linear(2, 2)
        self.register_buffer("table", torch.arange(3.0), persistent=False)


@pytest.fixture(scope="module")
def model(tiny: dict[str, Any]) -> Hallo:
    torch.manual_seed(3)
    made: Hallo = build(tiny["model"])
    return made


@pytest.fixture(scope="module")
def saved(tiny: dict[str, Any], model: Hallo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bundle(tmp_path_factory.mktemp("bundles") / "mine", model, tiny)


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(saved, tmp_path / "mine")


def reindex(folder: Path) -> None:
    write_index(
        folder, [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != INDEX]
    )


def rewrite(folder: Path, **changes: Any) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, **changes}))
    reindex(folder)


def test_a_model_comes_back_bit_for_bit(saved: Path, model: Hallo) -> None:
    bundle = load_bundle(saved)
    assert isinstance(bundle.model, Hallo)
    assert not bundle.model.training
    theirs = model.state_dict()
    assert bundle.model.state_dict().keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in bundle.model.state_dict().items())
    assert bundle.audio_encoder is None
    assert len(bundle.digest) == 64


def test_every_file_is_listed_and_readable_without_us(saved: Path) -> None:
    files = {path.name for path in saved.iterdir()}
    assert files == {*(f"{part}.safetensors" for part in PARTS), "config.yaml", "README.md", "LICENSES", INDEX}
    listed = {line.split("  ")[1] for line in (saved / INDEX).read_text().splitlines()}
    assert listed == files - {INDEX}
    card = (saved / "README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["library_name"] == "hallo_lit"
    assert "| denoiser |" in card
    assert (saved / "LICENSES").read_text().count("hallo_lit: MIT") == len(PARTS)


def test_half_precision_halves_the_files_and_loads_as_asked(
    saved: Path, tiny: dict[str, Any], model: Hallo, tmp_path: Path
) -> None:
    half = save_bundle(tmp_path / "half", model, tiny, dtype=torch.float16)
    sizes = [(folder / "denoiser.safetensors").stat().st_size for folder in (half, saved)]
    assert sizes[0] < 0.6 * sizes[1]
    for dtype in (torch.float32, torch.bfloat16):
        assert {p.dtype for p in load_bundle(half, dtype=dtype).model.parameters()} == {dtype}
    kept = load_bundle(half).model.state_dict()
    assert all(torch.equal(kept[name], tensor.half().float()) for name, tensor in model.state_dict().items())


def test_a_loaded_model_can_train_without_touching_the_files(folder: Path) -> None:
    model = load_bundle(folder).model
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    open_bundle(folder)


def test_what_a_state_dict_does_not_hold_is_made_anew(folder: Path) -> None:
    net = Holder()
    save_bundle(folder.parent / "other", net, {"model": {"_target_": f"{__name__}.Holder"}})
    trust = (__name__.split(".")[0],)
    there, config, index = open_bundle(folder.parent / "other", trust=trust)
    made = fill_model(there, config, index, torch.float32, trust=trust)
    assert torch.equal(made.table, net.table)
    assert torch.equal(made.part.weight, net.part.weight)


def test_our_own_encoders_travel_along(tiny: dict[str, Any], model: Hallo, tmp_path: Path) -> None:
    entry = {"_target_": MEL, "width": 4, "context_dim": 4}
    encoder = build(entry)
    out = save_bundle(tmp_path / "x", model, {**tiny, "face_encoder": entry}, {"face_encoder": encoder})
    again = load_bundle(out).face_encoder
    assert torch.equal(again.proj.weight, encoder.proj.weight)
    assert not again.training


@pytest.mark.parametrize("name", ["denoiser.safetensors", "config.yaml", "README.md"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"lacks {name}"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["denoiser.safetensors", "config.yaml", "LICENSES"])
def test_an_altered_file_is_named(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[-2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(UserError, match=f"is altered: {name}"):
        load_bundle(folder)


def test_weights_of_another_size_are_refused(folder: Path) -> None:
    model = yaml.safe_load((folder / "config.yaml").read_text())["model"]
    rewrite(folder, model={**model, "face_locator": {**model["face_locator"], "out_channels": 9}})
    with pytest.raises(KeyMismatch, match=r"conv_out\.weight is 8x8x3x3 instead of 9x8x3x3"):
        load_bundle(folder)


def test_an_incomplete_bundle_says_what_it_lacks(folder: Path) -> None:
    (folder / "codec.safetensors").unlink()
    reindex(folder)
    with pytest.raises(UserError, match="is incomplete: it has no codec"):
        load_bundle(folder)
    rewrite(folder, face_encoder={"_target_": MEL, "width": "bundle:face_encoder.onnx"})
    with pytest.raises(UserError, match="is incomplete"):
        load_bundle(folder)


def test_an_encoder_that_is_not_there_is_named(folder: Path) -> None:
    rewrite(folder, face_encoder={"_target_": MEL, "width": "bundle:face_encoder.onnx"})
    with pytest.raises(UserError, match=r"it has no face_encoder\.onnx"):
        load_bundle(folder)


def test_no_path_of_the_configuration_leads_out(folder: Path) -> None:
    rewrite(folder, face_encoder={"_target_": MEL, "width": "bundle:../secret"})
    with pytest.raises(UserError, match="not a plain name"):
        load_bundle(folder)


@pytest.mark.parametrize("text", ["- a\n", "model: [", "x: 1\n", "!!python/object/apply:os.getcwd []\n"])
def test_what_is_no_configuration(folder: Path, text: str) -> None:
    (folder / "config.yaml").write_text(text)
    reindex(folder)
    with pytest.raises(UserError, match=r"config\.yaml"):
        load_bundle(folder)


def test_a_strangers_code_is_not_run(folder: Path, tmp_path: Path) -> None:
    rewrite(folder, face_encoder={"_target_": "hallo_lit.weights.storage.shutil.rmtree", "path": str(tmp_path)})
    with pytest.raises(UserError, match="no part of"):
        load_bundle(folder)
    rewrite(folder, face_encoder={"_target_": "os.system", "command": "true"})
    with pytest.raises(UserError, match="outside hallo_lit"):
        load_bundle(folder)


def test_a_configuration_must_be_plain(tiny: dict[str, Any], model: Hallo, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="plain values only, and not a Tensor"):
        save_bundle(tmp_path / "x", model, {**tiny, "extra": torch.rand(1)})
    assert not any(tmp_path.iterdir())


def test_diverged_weights_are_not_saved(tiny: dict[str, Any], tmp_path: Path) -> None:
    broken: Hallo = build(tiny["model"])
    with torch.no_grad():
        broken.face_locator.conv_in.weight[0] = float("nan")
    with pytest.raises(UserError, match=r"conv_in\.weight holds NaN"):
        save_bundle(tmp_path / "x", broken, tiny)
    assert not any(tmp_path.iterdir())
