"""The bundle that comes along: whole, small, and its lips follow words that no training has heard."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hallo_lit.animation.animator import Animator, Options
from hallo_lit.animation.liveliness import draw_liveliness
from hallo_lit.cli.compose import compose
from hallo_lit.cli.recommended import weights_of
from hallo_lit.data.synthetic.samples import write_wav
from hallo_lit.faces.measures import lid_aperture, yaw_pitch_roll
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
    write_wav(tmp_path / "hum.wav", samples)
    for shared in (True, False):
        recipe = animator.with_recipe(liveliness=0.0, shared_noise=shared)
        frames = np.stack(list(animator(case.photo, tmp_path / "hum.wav", Options(recipe=recipe)))).astype(int)
        assert (np.abs(frames[10] - frames[18]).max() <= 2) == shared


def test_eyes_shut_when_they_are_told(tmp_path: Path) -> None:
    animator, case = Animator.from_pretrained("tiny", device="cpu"), Case.make("still", "validation", 1, 50, tmp_path)
    net = animator.hallo.expression_net
    for seed in range(100):
        told = draw_liveliness(net, None, [torch.from_numpy(case.samples)], 56, seed, 1.0, 0.0).expressions
        assert told is not None
        if told[5:45, 0].max() > 0.9:
            break
    closure = told[:50, 0].numpy()
    lids = []
    for liveliness in (1.0, 0.0):
        options = Options(seed=seed, recipe=animator.with_recipe(liveliness=liveliness, sway=0.0))
        lids.append(lid_aperture(case.video(np.stack(list(animator(case.photo, case.sound, options)))[:50]).landmarks))
    shut, wide = (lids[0][where].mean() for where in (closure > 0.8, closure == 0))
    assert shut < 0.6 * wide
    assert lids[1].min() > 0.8 * np.median(lids[1])


def test_heads_turn_when_they_are_told(tmp_path: Path) -> None:
    animator, case = Animator.from_pretrained("tiny", device="cpu"), Case.make("still", "validation", 1, 50, tmp_path)
    net, sound = animator.hallo.head_net, [torch.from_numpy(case.samples)]
    assert net is not None
    spans = {}
    for seed in range(40):
        poses = draw_liveliness(None, net, sound, 56, seed, 1.0, 1.5).poses
        assert poses is not None
        spans[seed] = float(poses[:50, net.controls.index("yaw")].std())
    seed = max(spans, key=lambda seed: spans[seed])
    told = draw_liveliness(None, net, sound, 56, seed, 1.0, 1.5).poses
    assert told is not None
    yaws = []
    for sway in (1.5, 0.0):
        options = Options(seed=seed, recipe=animator.with_recipe(sway=sway))
        landmarks = case.video(np.stack(list(animator(case.photo, case.sound, options)))[:50]).landmarks
        yaws.append(np.array([yaw_pitch_roll(face)[0] for face in landmarks]))
    assert np.corrcoef(told[:50, net.controls.index("yaw")].numpy(), yaws[0])[0, 1] > 0.8
    assert yaws[1].std() < 0.5 * yaws[0].std()


def test_what_talking_does_not_move_is_as_sharp_as_the_photo(tmp_path: Path) -> None:
    animator, case = (
        Animator.from_pretrained("tiny", device="cpu"),
        Case.make("still", "validation", 0, 1, tmp_path, 0.4),
    )
    options = Options(recipe=animator.with_recipe(liveliness=0.0))
    frames, photo = np.stack(list(animator(case.photo, case.sound, options))), animator.portraits(case.photo)
    assert animator.recipe.photo_detail
    above = slice(0, int(photo.landmarks[168, 1]))  # the bridge of the nose
    np.testing.assert_array_equal(frames[:, above], np.broadcast_to(photo.pixels[above], frames[:, above].shape))
    mouth = slice(int(photo.landmarks[0, 1]), int(photo.landmarks[17, 1]))
    assert np.abs(frames[:, mouth].astype(int) - photo.pixels[mouth]).max() > 20
