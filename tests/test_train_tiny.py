"""The plain training loop of the small model: it resumes exactly, and its bundle animates."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
import torch

from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import synthesize
from hallo_lit.weights.bundle import load_bundle

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import train_tiny as script

SMALL = ["model.denoiser.extras.temporal=false", "size.unet.channels=[16,16]", "size.codec.channels=[16,16,16]"]
VISEME = {"_target_": "hallo_lit.components.audio_encoder.viseme.VisemeEncoder"}
FACE = {"_target_": "hallo_lit.components.face_encoder.conv.ConvFaceEncoder"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tiny") / "corpus"
    synthesize(
        SynthesisConfig(
            out,
            clips=2,
            seconds=0.4,
            size=128,
            zoom=1.5,
            motion=0.0,
            posture=1.0,
            test_share=0.0,
            processes=1,
            store=True,
            close_up=0.78,
            audio_encoder=VISEME,
            face_encoder=FACE,
        )
    )
    return out


def settings(corpus: Path, out: Path, steps: int) -> script.Settings:
    return script.Settings(corpus, out, steps, clips=1, frames=2, save_every=2, cool_down=1e-6)


def last(out: Path) -> dict[str, object]:
    state: dict[str, object] = torch.load(out / "last.ckpt", weights_only=True)
    return state


def test_a_stopped_run_goes_on_as_if_it_had_not_been(corpus: Path, tmp_path: Path) -> None:
    script.train(settings(corpus, tmp_path / "whole", 4), SMALL)
    script.train(settings(corpus, tmp_path / "parts", 2), SMALL)
    script.train(settings(corpus, tmp_path / "parts", 4), SMALL)
    whole, parts = last(tmp_path / "whole"), last(tmp_path / "parts")
    assert parts["step"] == 4
    for name in ("model", "ema"):
        assert all(torch.equal(tensor, parts[name][key]) for key, tensor in whole[name].items())  # type: ignore[index]
    rows = list(csv.reader((tmp_path / "parts" / "curve.csv").open()))
    assert [row[0] for row in rows] == ["2", "4"]


def test_a_run_becomes_a_bundle(corpus: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from hallo_lit.components.audio_encoder.viseme import VisemeEncoder

    script.train(settings(corpus, tmp_path / "run", 2), SMALL)
    viseme = VisemeEncoder()
    save_file(viseme.state_dict(), tmp_path / "viseme.safetensors")
    script.export(tmp_path / "run", tmp_path / "bundle", tmp_path / "viseme.safetensors", SMALL)
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.config["crop_margin"] == 0.78
    averaged = last(tmp_path / "run")["ema"]["denoiser.conv_out.weight"]  # type: ignore[index]
    torch.testing.assert_close(bundle.model.denoiser.conv_out.weight.data, averaged, atol=1e-3, rtol=1e-2)
    torch.testing.assert_close(
        bundle.audio_encoder.head.weight.data.float(), viseme.head.weight.data, atol=1e-3, rtol=1e-2
    )
