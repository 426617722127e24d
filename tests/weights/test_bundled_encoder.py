from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from hallo_lit.data.spec import Encoder
from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.weights.bundle import load_bundle
from hallo_lit.weights.bundled_encoder import bundled_encoder, described, is_described, original
from hallo_lit.weights.hub import BUNDLED
from hallo_lit.weights.index import INDEX, write_index


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(BUNDLED["tiny"], tmp_path / "copy")


def test_a_description_builds_the_encoder_of_its_bundle() -> None:
    made, wave = build(described("tiny", "audio_encoder")), torch.randn(3200)
    assert torch.equal(made(wave, 5), load_bundle("tiny").audio_encoder(wave, 5))


def test_it_matters_what_the_encoder_is_and_not_where(copy: Path) -> None:
    here, there = described("tiny", "audio_encoder"), described(copy, "audio_encoder")
    assert here is not None
    assert there is not None
    assert here["bundle"] != there["bundle"]
    assert Encoder.of(here) == Encoder.of(there)
    assert Encoder.of(here) != Encoder.of(described("tiny", "face_encoder") or {})


def test_another_encoder_in_its_place_is_refused(copy: Path) -> None:
    known = described(copy, "audio_encoder")
    assert known is not None
    shutil.copy(copy / "face_encoder.safetensors", copy / "audio_encoder.safetensors")
    write_index(copy, [path.name for path in copy.iterdir() if path.name != INDEX])
    with pytest.raises(UserError, match="holds another audio_encoder than before"):
        bundled_encoder(str(copy), "audio_encoder", known["sha256"])


def test_it_comes_out_of_its_bundle_again() -> None:
    known = described("tiny", "audio_encoder")
    assert known is not None
    assert is_described(known)
    config, made = original(known)
    assert not is_described(config)
    build(config).load_state_dict(made.state_dict())
