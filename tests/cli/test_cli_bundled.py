"""Training a bundle further, and stores made for it, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hallo_lit.cli.bundled import begin_from_weights, take_encoders, take_networks, take_view
from hallo_lit.cli.compose import compose, plain
from hallo_lit.cli.main import main
from hallo_lit.cli.synthesize import config_of
from hallo_lit.errors import UserError
from hallo_lit.weights.bundle import load_bundle, open_bundle
from stages.small import make_store, settings


def test_one_persons_model_begins_from_a_bundle_and_becomes_one(tmp_path: Path) -> None:
    store, run, base = make_store(tmp_path / "store"), tmp_path / "run", tmp_path / "base"
    assert main(["train", *settings(store, f"run_dir={run}", "steps=1")]) == 0
    assert main(["weights", "export", str(run), f"out={base}"]) == 0
    plainly = ["check_store=[]", "data.workers=0", "callbacks=none", "logger=none", "precision=fp32", "steps=2"]
    words = ["experiment=identity", f"init.weights=[{base}]", f"data.store={store}", f"run_dir={tmp_path}/anna"]
    assert main(["train", *words, *plainly]) == 0
    assert main(["weights", "export", f"{tmp_path}/anna", f"out={tmp_path}/bundle"]) == 0
    before, after = load_bundle(base), load_bundle(tmp_path / "bundle")
    assert after.config == before.config
    theirs = before.model.state_dict()
    changed = {key for key, tensor in after.model.state_dict().items() if not torch.equal(tensor, theirs[key])}
    assert changed
    assert all(".to_" in key for key in changed)
    known = before.face_encoder.state_dict()
    assert all(torch.equal(known[key], tensor) for key, tensor in after.face_encoder.state_dict().items())


def test_networks_and_sampling_are_the_bundles_but_for_what_is_asked() -> None:
    cfg = compose("train", "experiment=identity", "init.weights=[tiny]", "sampler.steps=3", "data.store=anna")
    take_networks(cfg, "tiny", ["experiment", "init.weights", "sampler.steps", "data.store"])
    made, known = plain(cfg), open_bundle("tiny")[1]
    assert made["stage"]["network"] == known["model"]
    assert made["stage"]["process"] == known["process"]
    assert made["data"]["samples"]["size"] == [128, 128]
    assert made["data"]["samples"]["policy"]["frames"] == known["frames"]
    assert made["callbacks"]["samples"]["recipe"]["guidance"] == known["guidance"]
    assert (made["sampler"]["steps"], known["sampler"]["steps"]) == (3, 2)


def test_another_fusion_in_the_bundles_networks() -> None:
    cfg = compose("train", "experiment=ablation_talking", "fusion=gated", "fusion.branches=[lip]")
    take_networks(cfg, "tiny", ["experiment", "fusion", "fusion.branches"])
    made, known = plain(cfg), open_bundle("tiny")[1]
    fusion = made["stage"]["network"]["denoiser"]["extras"].pop("fusion")
    known["model"]["denoiser"]["extras"].pop("fusion")
    assert (fusion["_target_"].rpartition(".")[2], fusion["branches"]) == ("GatedFusion", ["lip"])
    assert made["stage"]["network"] == known["model"]
    assert made["stage"]["process"] == known["process"]
    assert made["audio_encoder"]["weights"].endswith("viseme.safetensors")


@pytest.mark.parametrize("word", ["fusion", "audio_encoder", "size.unet.channels"])
def test_other_networks_than_the_bundles_are_refused(word: str) -> None:
    with pytest.raises(UserError, match=rf"^{word}=... asks for other networks .* init.networks=config"):
        take_networks(compose("train", "experiment=identity"), "tiny", [word])


def test_public_weights_describe_no_networks(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(b"")
    cfg = compose("train", "experiment=identity")
    before = plain(cfg)
    take_networks(cfg, str(tmp_path / "net.pth"), [])
    assert plain(cfg) == before


def test_a_store_for_a_bundle_has_its_encoders_and_its_view() -> None:
    made = config_of(compose("synthesize", "store=true", "weights=tiny"))
    assert (made.close_up, made.close_up_size) == (0.78, 128)
    trained = compose("train", "experiment=identity")
    take_networks(trained, "tiny", [])
    assert plain(trained)["audio_encoder"] == made.audio_encoder
    assert plain(trained)["face_encoder"] == made.face_encoder


def test_encoders_and_view_that_are_named_stay() -> None:
    cfg = compose("preprocess")
    before = plain(cfg)
    take_encoders(cfg, "tiny", ["audio_encoder.width", "face_encoder"])
    take_view(cfg, "tiny", ["crop.face_share"])
    assert plain(cfg) == before
    take_encoders(cfg, "tiny", ["face_encoder"])
    take_view(cfg, "tiny", [])
    assert cfg.features.audio._target_.endswith("bundled_encoder")
    assert cfg.features.identity == before["face_encoder"]
    assert cfg.crop.face_share == pytest.approx(0.62 / 0.78)


def test_a_word_that_init_networks_does_not_know() -> None:
    with pytest.raises(UserError, match=r"init\.networks=wights .* config, weights, other_fusion"):
        begin_from_weights(compose("train", "experiment=identity", "init.networks=wights"), [])
