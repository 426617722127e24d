"""The bundle that comes along: whole, small, and its lips follow words that no training has heard."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hallo_lit.animation.animator import Animator
from hallo_lit.cli.compose import compose
from hallo_lit.cli.recommended import weights_of
from hallo_lit.metrics.aperture import Aperture
from hallo_lit.weights.hub import BUNDLED
from hallo_lit.weights.index import read_index, verify

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from talking_cases import Case


def test_it_is_whole_and_small() -> None:
    folder = BUNDLED["tiny"]
    verify(folder, read_index(folder))
    assert sum(path.stat().st_size for path in folder.iterdir()) < 20e6
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "## Training" in card
    assert "aperture r, pooled" in card  # what it reaches


@pytest.mark.parametrize(
    ("names", "weights"),
    [
        ([], "tiny"),
        (["sampler.steps", "size.height", "lip_weight"], "tiny"),
        (["model"], None),
        (["model.denoiser.checkpointing"], None),
        (["fusion"], None),
        (["audio_encoder.bands"], None),
        (["size"], None),
        (["size.unet.channels"], None),
    ],
)
def test_other_networks_are_random_ones(names: list[str], weights: str | None) -> None:
    assert compose("animate").weights == compose("evaluate").weights == "auto"
    assert weights_of("auto", names) == weights
    assert weights_of("bundles/mine", names) == "bundles/mine"
    assert weights_of(None, names) is None


def test_lips_follow_unheard_words(tmp_path: Path) -> None:
    animator = Animator.from_pretrained("tiny", device="cpu")
    first, second = (Case.make("lively", "validation", number, 60, tmp_path) for number in (0, 1))
    own, other = Aperture(), Aperture()
    for case, sound in ((first, second), (second, first)):
        for metric, heard in ((own, case), (other, sound)):
            made = np.stack(list(animator(case.photo, heard.sound)))
            assert made.shape[1:] == case.frames.shape[1:]
            metric.update(case.video(made[: len(case.frames)]), case.truth())
    follows, chance = (float(metric.compute()["aperture_r_pooled"]) for metric in (own, other))
    assert follows > 0.6
    assert chance < follows - 0.3


@torch.inference_mode()
def test_what_the_sound_does_not_move_stands_still(tmp_path: Path) -> None:
    """Frames start from the same noise, so equal sound gives equal frames, in whichever clip they are."""
    animator = Animator.from_pretrained("tiny", device="cpu")
    case = Case.make("still", "validation", 0, 1, tmp_path, 1.0)
    samples = np.zeros(16000, np.float32)
    samples[::100] = 0.2
    from hallo_lit.data.synthetic.samples import write_wav

    write_wav(tmp_path / "hum.wav", samples)
    frames = np.stack(list(animator(case.photo, tmp_path / "hum.wav"))).astype(int)
    assert np.abs(frames[10] - frames[18]).max() <= 2
    moving = replace(animator.recipe, shared_noise=False)
    from hallo_lit.animation.options import Options

    frames = np.stack(list(animator(case.photo, tmp_path / "hum.wav", Options(recipe=moving)))).astype(int)
    assert np.abs(frames[10] - frames[18]).max() > 2
