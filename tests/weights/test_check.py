from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hallo_lit.cli.compose import compose, plain
from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.weights.bundle import save_bundle
from hallo_lit.weights.check import check_bundle, check_file, check_layouts, networks_of
from hallo_lit.weights.index import INDEX, write_index
from hallo_lit.weights.matching import Networks

from . import configs


@pytest.fixture(scope="module")
def full_size() -> Networks:
    return networks_of(configs.released())


def test_every_released_tensor_has_its_place_at_full_size(full_size: Networks) -> None:
    results = {result.title: result for result in check_layouts(full_size)}
    released = results["Hallo net.pth"]
    assert (released.keys, released.mapped) == (2656, 2480)
    assert sum(map(len, released.dropped.values())) == 176
    assert released.parts == [name for name in full_size if name not in ("codec", "audio_encoder")]
    assert len(results) == 5
    for result in results.values():
        assert result.fits, str(result.report)


def test_the_shipped_configuration_is_the_released_layout(full_size: Networks) -> None:
    composed = networks_of({"model": plain(compose("weights"))["model"]})
    assert composed == full_size


def test_a_model_with_the_wide_audio_blocks_does_not_fit(full_size: Networks) -> None:
    config = configs.released()
    config["model"]["denoiser"]["extras"]["narrow_audio"] = False
    wide = networks_of(config)
    [released] = [result for result in check_layouts(wide) if result.title == "Hallo net.pth"]
    assert not released.fits
    assert released.report.misshapen
    assert all(".audio_modules." in item.name for item in released.report.misshapen)


def test_files_are_checked_by_their_content(files: dict[str, Path], networks: Networks) -> None:
    result = check_file(files["hallo"], networks)
    assert result.fits
    assert result.keys == 2656
    assert check_file(files["animatediff-v2"], networks).fits


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.diffusion_model.input_blocks.0.0.weight", "CompVis names; give the diffusers UNet"),
        ("encoder.down.0.block.0.conv1.weight", "give the diffusers one"),
        ("quantize.embedding.weight", "no use for"),
        ("down.0.cells.0.resnet.norm1.weight", "needs no import"),
        ("some.thing", "of no kind known here"),
    ],
)
def test_other_networks_are_told_apart(tmp_path: Path, networks: Networks, key: str, words: str) -> None:
    save_file({key: torch.rand(1)}, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match=words):
        check_file(tmp_path / "x.safetensors", networks)


def test_a_bundle_is_checked_against_its_own_configuration(tiny: dict[str, Any], tmp_path: Path) -> None:
    folder = save_bundle(tmp_path / "mine", build(tiny["model"]), tiny)
    results = check_bundle(folder)
    assert [result.title for result in results] == list(tiny["model"])[1:]
    assert all(result.fits for result in results)
    spoiled: Mapping[str, Tensor] = load_file(folder / "codec.safetensors")
    left = {name: tensor.clone() for name, tensor in spoiled.items() if not name.endswith("conv_in.bias")}
    save_file(left, folder / "codec.safetensors")
    (folder / "face_locator.safetensors").unlink()
    write_index(folder, [path.name for path in folder.iterdir() if path.name != INDEX])
    wrong = {result.title: result.report for result in check_bundle(folder) if not result.fits}
    assert list(wrong) == ["codec", "face_locator"]
    assert wrong["codec"].missing == ["vae.encoder.conv_in.bias", "vae.decoder.conv_in.bias"]
    assert len(wrong["face_locator"].missing) == 16
    shutil.rmtree(folder)
    with pytest.raises(UserError, match="no bundle folder"):
        check_bundle(folder)


def test_a_configuration_without_a_model_is_refused() -> None:
    with pytest.raises(UserError, match="has no `model`"):
        networks_of({"frames": 14})
