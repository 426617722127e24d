"""The plain training loop of the small model: it resumes exactly, and its bundle animates."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import synthesize
from hallo_lit.weights.bundle import load_bundle

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import train_tiny as script

SMALL = ["model.denoiser.extras.temporal=false", "size.unet.channels=[16,16]", "size.codec.latent_channels=8"]
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


def test_colours_and_place_of_a_clip_change_together(corpus: Path) -> None:
    clips = script.Clips(corpus)
    plain, masks, _ = clips.look(0, [0, 1])
    change = script.Augment(0.0, 1.0, (0.125, 0.0), np.float32([1, 1, 1]), 1.0, 1.0, True)
    seen, moved, _ = clips.look(0, [0, 1], change)
    assert (seen[:, 0] - seen[:, 2]).abs().max() < 0.02  # without colour
    grey = plain.mean(1)[..., :48].flip(-1)  # what was at the left is an eighth further right, and then mirrored
    assert (seen[:, 0, :, 8:56] - grey[..., :48]).abs().mean() < 0.03
    assert (moved[2].flip(-1)[:, 1:] - masks[2][:, :-1]).abs().mean() < 0.03


def test_a_run_becomes_a_bundle(corpus: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from hallo_lit.components.audio_encoder.viseme import VisemeEncoder

    script.train(settings(corpus, tmp_path / "run", 2), SMALL)
    viseme = VisemeEncoder()
    save_file(viseme.state_dict(), tmp_path / "viseme.safetensors")
    figures = tmp_path / "figures.json"
    figures.write_text('{"set": "test", "width r": 0.5}')
    script.export(tmp_path / "run", tmp_path / "bundle", tmp_path / "viseme.safetensors", SMALL, figures)
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.config["crop_margin"] == 0.78
    assert bundle.config["shared_noise"] is True
    assert len(bundle.config["process"]["prior"]["spread"]["lip"]) == bundle.model.codec.latent_channels
    assert "| width r | 0.500 |" in (tmp_path / "bundle" / "README.md").read_text()
    averaged = last(tmp_path / "run")["ema"]["denoiser.conv_out.weight"]  # type: ignore[index]
    torch.testing.assert_close(bundle.model.denoiser.conv_out.weight.data, averaged, atol=1e-3, rtol=1e-2)
    torch.testing.assert_close(
        bundle.audio_encoder.head.weight.data.float(), viseme.head.weight.data, atol=1e-3, rtol=1e-2
    )
