from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor

from hallo_lit.components.audio_encoder.wav2vec import Wav2Vec2
from hallo_lit.errors import UserError
from hallo_lit.weights.bundle import load_bundle, open_bundle
from hallo_lit.weights.importing import import_weights
from hallo_lit.weights.index import sha256
from hallo_lit.weights.matching import Networks
from hallo_lit.weights.strict import KeyMismatch

from . import configs
from .onnx_model import face_encoder

Published = Mapping[str, dict[str, Tensor]]
AUDIO = {
    "_target_": "hallo_lit.components.audio_encoder.wav2vec.Wav2Vec2.from_folder",
    "folder": "somewhere/else",
    "layers": 12,
    "width": 16,
}


@pytest.fixture
def config(tiny: dict[str, Any]) -> dict[str, Any]:
    return {**tiny, "audio_encoder": AUDIO, "frames": 16}


@pytest.fixture
def released(files: dict[str, Path]) -> list[Path]:
    """Everything of the release but the face encoder."""
    (files["wav2vec2-base-960h"].with_name("config.json")).write_text(json.dumps(configs.WAVE))
    return [files[name] for name in ("wav2vec2-base-960h", "hallo", "sd-vae-ft-mse")]


def test_the_release_becomes_a_bundle_with_the_same_values(
    released: list[Path], config: dict[str, Any], published: Published, tmp_path: Path
) -> None:
    made = import_weights(released, tmp_path / "out", config)
    assert made.missing == {}
    assert [found.title for found in made.found] == ["a wav2vec 2.0 encoder", "Hallo net.pth", "a Stable Diffusion VAE"]
    assert sum(map(len, made.found[1].dropped.values())) == 176
    bundle = load_bundle(made.folder)
    state = published["hallo"]
    assert torch.equal(bundle.model.face_locator.blocks[3].weight, state["face_locator.blocks.3.weight"])
    assert torch.equal(
        bundle.model.reference_net.mid.cells[1].resnet.conv1.bias,
        state["reference_unet.mid_block.resnets.1.conv1.bias"],
    )
    assert torch.equal(bundle.model.audio_projection.proj3.bias, state["audioproj.proj3.bias"])
    query = published["sd-vae-ft-mse"]["encoder.mid_block.attentions.0.query.weight"]
    assert torch.equal(bundle.model.codec.vae.encoder.mid_block.attentions[0].to_q.weight, query)
    assert isinstance(bundle.audio_encoder, Wav2Vec2)
    key = "encoder.layers.3.attention.k_proj.weight"
    assert torch.equal(bundle.audio_encoder.model.state_dict()[key], published["wav2vec2-base-960h"][f"wav2vec2.{key}"])
    assert bundle.config["audio_encoder"]["folder"] == "bundle:audio_encoder"
    assert bundle.config["frames"] == 16
    card = (made.folder / "README.md").read_text()
    assert all(f"`{path.name}` SHA-256 `{sha256(path)}`" in card for path in released)
    assert "OpenRAIL-M" in (made.folder / "LICENSES").read_text()


def test_a_net_and_a_codec_alone_say_what_is_missing_for_animate(
    files: dict[str, Path], config: dict[str, Any], tmp_path: Path
) -> None:
    config = {**config, "face_encoder": {"_target_": "hallo_lit.x.ArcFace", "path": None}}
    made = import_weights([files["hallo"], files["sd-vae-ft-mse"]], tmp_path / "out", config)
    assert made.missing == {"audio_encoder": "wav2vec2-base-960h", "face_encoder": "glintr100"}
    kept = yaml.safe_load((made.folder / "config.yaml").read_text())
    assert kept["face_encoder"]["path"] == "bundle:face_encoder.onnx"
    made = import_weights([files["sd-vae-ft-mse"]], tmp_path / "codec", config)
    assert made.missing["denoiser"] == made.missing["reference_net"] == "hallo"
    assert "codec" not in made.missing


def test_an_incomplete_bundle_is_not_loaded(files: dict[str, Path], config: dict[str, Any], tmp_path: Path) -> None:
    made = import_weights([files["hallo"], files["sd-vae-ft-mse"]], tmp_path / "out", config)
    with pytest.raises(UserError, match="it has no audio_encoder"):
        load_bundle(made.folder)
    made = import_weights([files["hallo"]], tmp_path / "net", config)
    with pytest.raises(UserError, match="it has no codec"):
        load_bundle(made.folder)


def test_the_face_encoder_is_copied_whole(released: list[Path], config: dict[str, Any], tmp_path: Path) -> None:
    onnx = tmp_path / "glintr100.onnx"
    onnx.write_bytes(face_encoder())
    entry = {"_target_": "hallo_lit.components.face_encoder.arcface.ArcFace", "path": "elsewhere", "width": 4}
    made = import_weights([*released, onnx], tmp_path / "out", {**config, "face_encoder": entry})
    assert (made.folder / "face_encoder.onnx").read_bytes() == onnx.read_bytes()
    assert load_bundle(made.folder).face_encoder.width == 4
    _, kept, index = open_bundle(made.folder)
    assert kept["face_encoder"]["path"] == "bundle:face_encoder.onnx"
    assert index["face_encoder.onnx"] == sha256(onnx)
    assert "Non-commercial research only" in (made.folder / "README.md").read_text()
    with pytest.raises(UserError, match="which this configuration has no use for"):
        import_weights([onnx], tmp_path / "other", config)


def test_the_trained_net_wins_over_what_it_was_made_from(
    files: dict[str, Path], config: dict[str, Any], published: Published, tmp_path: Path
) -> None:
    order = [files["hallo"], files["animatediff-v2"], files["sd15-unet"]]
    made = import_weights(order, tmp_path / "out", config)
    state = load_file(made.folder / "denoiser.safetensors")
    assert torch.equal(state["conv_in.weight"], published["hallo"]["denoising_unet.conv_in.weight"])
    assert not torch.equal(state["conv_in.weight"], published["sd15-unet"]["conv_in.weight"])


def test_stage_one_files_make_an_image_model(
    published: Published, networks: Networks, tiny: dict[str, Any], tmp_path: Path
) -> None:
    extras = {"_target_": "hallo_lit.blocks.cell.Extras", "temporal": False}
    model = {**tiny["model"], "denoiser": {**tiny["model"]["denoiser"], "extras": extras}}
    del model["audio_projection"]
    folder = tmp_path / "stage1"
    folder.mkdir()
    net = published["hallo"]
    for file, prefix in (
        ("reference_unet", "reference_unet."),
        ("face_locator", "face_locator."),
        ("imageproj", "imageproj."),
    ):
        torch.save(
            {key.removeprefix(prefix): t for key, t in net.items() if key.startswith(prefix)}, folder / f"{file}.pth"
        )
    torch.save(published["sd15-unet"], folder / "denoising_unet.pth")
    made = import_weights([folder], tmp_path / "out", {"model": model})
    assert made.missing == {"codec": "sd-vae-ft-mse"}
    reference = load_file(made.folder / "reference_net.safetensors")
    assert torch.equal(reference["conv_in.weight"], net["reference_unet.conv_in.weight"])
    denoiser = load_file(made.folder / "denoiser.safetensors")
    assert torch.equal(denoiser["conv_out.bias"], published["sd15-unet"]["conv_out.bias"])


def test_a_start_of_training_names_what_begins_untrained(
    files: dict[str, Path], tiny: dict[str, Any], published: Published, tmp_path: Path
) -> None:
    start = [files["sd15-unet"], files["animatediff-v2"], files["sd-vae-ft-mse"]]
    with pytest.raises(KeyMismatch) as caught:
        import_weights(start, tmp_path / "out", tiny)
    assert len(caught.value.report.missing) == 672
    assert all(".audio." in name for name in caught.value.report.missing)
    fresh = ["denoiser.*.audio.*", "face_locator.*", "identity_projection.*", "audio_projection.*"]
    made = import_weights(start, tmp_path / "out", tiny, fresh=fresh)
    assert not made.missing
    assert len(made.fresh) == 672 + 16 + 4 + 8
    bundle = load_bundle(made.folder)
    zero = bundle.model.denoiser.down[0].cells[0].audio.block.fusion.zero_conv[0].weight
    assert not zero.any()
    theirs = "down_blocks.0.motion_modules.0.temporal_transformer.proj_in.weight"
    temporal = bundle.model.denoiser.down[0].cells[0].temporal
    assert torch.equal(temporal.proj_in.weight, published["animatediff-v2"][theirs])


def test_half_precision_on_demand(files: dict[str, Path], tiny: dict[str, Any], tmp_path: Path) -> None:
    made = import_weights([files["sd-vae-ft-mse"]], tmp_path / "out", tiny, torch.float16)
    assert {t.dtype for t in load_file(made.folder / "codec.safetensors").values()} == {torch.float16}


def test_every_key_that_does_not_fit_is_named(published: Published, tiny: dict[str, Any], tmp_path: Path) -> None:
    state = dict(published["hallo"])
    del state["face_locator.conv_in.bias"]
    state["denoising_unet.extra.weight"] = torch.rand(1)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(
        KeyMismatch, match=r"net\.pth does not fit this model: 1 unexpected \(denoising_unet\.extra\.weight\)"
    ):
        import_weights([tmp_path / "net.pth"], tmp_path / "out", tiny)
    del state["denoising_unet.extra.weight"]
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(KeyMismatch, match=r"1 missing \(face_locator\.conv_in\.bias\)"):
        import_weights([tmp_path / "net.pth"], tmp_path / "out", tiny)
    assert not (tmp_path / "out").exists()


def test_what_has_no_place_is_refused(files: dict[str, Path], tiny: dict[str, Any], tmp_path: Path) -> None:
    files["wav2vec2-base-960h"].with_name("config.json").write_text(json.dumps(configs.WAVE))
    with pytest.raises(UserError, match="which this configuration has no use for"):
        import_weights([files["wav2vec2-base-960h"]], tmp_path / "out", tiny)
    save_file({"proj1.weight": torch.rand(1), "proj3.weight": torch.rand(1)}, tmp_path / "a.safetensors")
    model = {key: value for key, value in tiny["model"].items() if key != "audio_projection"}
    with pytest.raises(UserError, match="which this model has no place for"):
        import_weights([tmp_path / "a.safetensors"], tmp_path / "out", {"model": model})


def test_the_place_is_checked_before_anything_is_read(tiny: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(UserError, match="exists already and is no bundle"):
        import_weights([tmp_path / "missing.pth"], tmp_path, tiny)


def test_files_of_one_name_are_told_apart(published: Published, tiny: dict[str, Any], tmp_path: Path) -> None:
    for name in ("sd15-unet", "sd-vae-ft-mse"):
        (tmp_path / name).mkdir()
        save_file(published[name], tmp_path / name / "model.safetensors")
    files = [tmp_path / name / "model.safetensors" for name in ("sd15-unet", "sd-vae-ft-mse")]
    fresh = ["denoiser.*.audio.*", "denoiser.*.temporal.*"]
    made = import_weights(files, tmp_path / "out", tiny, fresh=fresh)
    card = (made.folder / "README.md").read_text()
    assert all(sha256(path) in card for path in files)
    assert set(made.missing) == {"face_locator", "identity_projection", "audio_projection"}
