from __future__ import annotations

import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights.trust import check_targets, targets


@pytest.mark.parametrize(
    "name",
    [
        "hallo_lit.components.hallo.Hallo",
        "hallo_lit.components.audio_encoder.wav2vec.Wav2Vec2.from_folder",
        "hallo_lit.blocks.cell.UNetSpec",
        "hallo_lit.diffusion.process.NoiseProcess",
    ],
)
def test_parts_of_a_model_may_be_named(name: str) -> None:
    check_targets({"a": [{"_target_": name}]})


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "hallo_lit.weights.storage.shutil.rmtree",
        "hallo_lit.components.hallo.torch.load",
        "hallo_lit.components.hallo.nn.Linear",
        "hallo_lit.factory.build",
        "hallo_lit.factory.locate",
        "hallo_lit.cli.main.main",
        "hallo_lit.weights.bundle.save_bundle",
        "hallo_lit.components.vae",
        "hallo_lit.components.hallo.UserError",
        "hallo_lit.nothing.Here",
    ],
)
def test_nothing_else_may(name: str) -> None:
    with pytest.raises(UserError):
        check_targets({"deep": {"er": [{"_target_": name}]}})


def test_a_users_own_package_can_be_trusted() -> None:
    config = {"_target_": "collections.Counter"}
    with pytest.raises(UserError, match="outside hallo_lit"):
        check_targets(config)
    check_targets(config, trust=("hallo_lit", "collections"))


def test_targets_are_found_at_any_depth() -> None:
    config = {"_target_": "a.B", "x": [{"_target_": "c.D", "y": {"_target_": "e.F"}}, 3], "z": "no"}
    assert list(targets(config)) == ["a.B", "c.D", "e.F"]
