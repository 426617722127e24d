from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.animation.animator import Animator
from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.media.image import read_image
from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint
from hallo_lit.stages.export import export
from hallo_lit.stages.running import train
from hallo_lit.weights.bundle import load_bundle

from .small import config, make_store

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def run(store: Path, *more: str) -> Path:
    made = config(store, "steps=2", *more)
    train(made)
    return Path(made["run_dir"])


@pytest.fixture(scope="module")
def motion(store: Path) -> Path:
    return run(store, "name=for_export")


def test_a_run_becomes_a_bundle_that_loads(motion: Path, tmp_path: Path) -> None:
    export([motion], tmp_path / "bundle")
    bundle = load_bundle(tmp_path / "bundle")
    trained = read_checkpoint(checkpoint_in(motion)).network
    state = bundle.model.state_dict()
    assert set(state) == set(trained)
    assert all(torch.equal(state[key], tensor) for key, tensor in trained.items())
    assert bundle.config["frames"] == 3
    assert bundle.config["crop_margin"] == 0.78
    assert bundle.audio_encoder.layers == 2
    assert bundle.face_encoder is not None


def test_a_bundle_animates(motion: Path, tmp_path: Path) -> None:
    animator = Animator.from_pretrained(export([motion], tmp_path / "bundle"), device="cpu")
    frames = animator(SAMPLES / "portrait.png", SAMPLES / "speech.wav")
    assert next(frames).shape == read_image(SAMPLES / "portrait.png").shape


def test_lora_is_added_to_the_layers_it_sits_beside(store: Path, motion: Path, tmp_path: Path) -> None:
    person = run(
        store, "stage=identity", "name=person", f"init.weights=[{motion}]", "init.fresh=[]", "optimizer.lr=0.1"
    )
    export([person], tmp_path / "bundle", torch.float32)
    before = read_checkpoint(checkpoint_in(motion)).network
    after: Any = load_bundle(tmp_path / "bundle").model.state_dict()
    assert set(after) == set(before)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed
    assert all(key.startswith("denoiser.") and ".to_" in key for key in changed)


def test_a_trained_face_encoder_goes_along(motion: Path, tmp_path: Path) -> None:
    faces = make_store(tmp_path / "clips", landmarks=True)
    encoder = run(faces, "stage=face_encoder", "name=faces", "data.test_share=0", "data.workers=0")
    export([encoder, motion], tmp_path / "bundle")
    trained = read_checkpoint(checkpoint_in(encoder)).network
    state = load_bundle(tmp_path / "bundle").face_encoder.state_dict()
    assert all(torch.equal(state[key], tensor) for key, tensor in trained.items())


def test_a_face_encoder_alone_becomes_a_file(tmp_path: Path) -> None:
    faces, out = make_store(tmp_path / "clips", landmarks=True), tmp_path / "made" / "faces.safetensors"
    encoder = run(faces, "stage=face_encoder", "name=faces_alone", "data.test_share=0", "data.workers=0")
    assert export([encoder], out) == out
    trained, described = read_checkpoint(checkpoint_in(encoder)), {"seed": 9, "weights": str(out)}
    read = build({**trained.config["face_encoder"], **described}).state_dict()
    assert all(torch.equal(read[key], tensor) for key, tensor in trained.network.items())
    with pytest.raises(UserError, match="exists already"):
        export([encoder], out)
    export([encoder], out, torch.float16, overwrite=True)
    with pytest.raises(UserError, match=r"out=FILE\.safetensors"):
        export([encoder], tmp_path / "bundle")


def test_exactly_one_animator_is_needed(motion: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="one checkpoint of a whole model"):
        export([motion, motion], tmp_path / "bundle")
    with pytest.raises(UserError, match="given: nothing"):
        export([], tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
