from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.data.sampler import Draw
from hallo_lit.data.store import ClipStore
from hallo_lit.errors import UserError
from hallo_lit.stages.face_pairs import FacePairDataset
from hallo_lit.stages.running import train

from .small import config, make_store, stage_of

FACES = ("stage=face_encoder", "data.workers=0")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("faces") / "clips", clips=5, landmarks=True)


def pairs(root: Path) -> FacePairDataset:
    encoder: Any = stage_of(root, *FACES).network
    store = ClipStore(root)
    return FacePairDataset(store, list(range(len(store))), encoder, seed=3)


def test_a_pair_shows_one_person_twice_and_depends_on_the_draw_alone(faces: Path) -> None:
    data = pairs(faces)
    assert len(data) == 5
    views, person = data[Draw(2, 1)]
    assert views.shape == (2, 3, 16, 16)
    assert person == 1
    assert torch.equal(views, pairs(faces)[Draw(2, 1)][0])
    assert not torch.equal(views, data[Draw(3, 1)][0])
    assert float(views.abs().max()) <= 1


def test_the_stage_trains_on_them(faces: Path) -> None:
    assert train(config(faces, *FACES, "name=faces", "steps=3", "data.test_share=0")) is None
    assert (faces.parent / "out/train/faces/checkpoints/step0000003.ckpt").is_file()


def test_one_person_is_not_enough(tmp_path: Path) -> None:
    lonely = make_store(tmp_path / "clips", clips=1, landmarks=True)
    with pytest.raises(UserError, match="fewer than two persons"):
        train(config(lonely, *FACES, "steps=1", "data.test_share=0"))


def test_landmarks_are_needed(store: Path) -> None:
    with pytest.raises(UserError, match="landmarks"):
        pairs(store)
