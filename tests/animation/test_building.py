"""Animators from configurations and from bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.attention_processor import Attention

from hallo_lit.animation.animator import Animator
from hallo_lit.animation.building import DEFAULTS, assemble, from_bundle, from_config, make_recipe, picture_size
from hallo_lit.animation.handover import LatentHandover, PixelHandover
from hallo_lit.animation.video_generator import VideoGenerator
from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.guidance import JointGuidance
from hallo_lit.errors import UserError
from hallo_lit.weights.bundle import save_bundle
from tiny_hallo import tiny_portrait

Config = dict[str, Any]


def test_a_seed_decides_the_weights_and_nothing_else(config: Config) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (from_config(config, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.weights == again.weights != other.weights
    assert first.weights.startswith("random (seed 1)")
    pairs = zip(first.hallo.state_dict().values(), again.hallo.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_networks_are_ready_to_run_and_cannot_learn(config: Config) -> None:
    made = from_config({**config, "precision": "bf16", "attention": "math"})
    assert not made.hallo.training
    assert not any(p.requires_grad for p in made.hallo.parameters())
    assert {p.dtype for p in made.hallo.parameters()} == {torch.bfloat16}
    names = {type(m.processor).__name__ for m in made.hallo.modules() if isinstance(m, Attention)}
    assert names == {"MathKernel", "AttnProcessor"}
    assert made.devices()["codec, ReferenceNet, denoiser"] == "cpu bfloat16"
    assert made.denoise is None


def test_settings_reach_the_recipe(config: Config) -> None:
    made = from_config({**config, "pose_weight": 0.5, "lip_weight": 2, "decode_chunk": 3, "motion_frames": 1})
    recipe = made.recipe
    assert recipe.region_scale == (0.5, 1.0, 2.0)
    assert (recipe.clip_frames, recipe.motion_frames, recipe.decode_chunk) == (4, 1, 3)
    assert (recipe.sampler.solver, recipe.sampler.steps) == ("dpm", 2)
    assert isinstance(recipe.guidance, JointGuidance)
    assert recipe.guidance.scale == 2.0
    assert isinstance(made.handover(), PixelHandover)
    latents = {"_target_": "hallo_lit.animation.handover.LatentHandover", "_partial_": True}
    assert isinstance(from_config({**config, "handover": latents}).handover(), LatentHandover)


def test_settings_travel_with_the_animator_and_files_do_not(config: Config) -> None:
    given = {**config, "portrait": "p.png", "audio": "a.wav", "out": "o.mp4", "cfg_scale": 2.0}
    settings = from_config(given).settings
    assert not {"portrait", "audio", "out"} & settings.keys()
    assert settings["cfg_scale"] == 2.0
    assert settings["landmarks"] == DEFAULTS["landmarks"]


def test_compile_replaces_the_forward_only(config: Config) -> None:
    made = from_config({**config, "compile": True})
    assert made.denoise is not None
    assert made.denoise._orig_mod is made.hallo.denoiser  # type: ignore[attr-defined]


UNMEASURED = {
    "_target_": "hallo_lit.diffusion.process.NoiseProcess",
    "prior": {"_target_": "hallo_lit.diffusion.reference_prior.ReferencePrior", "spread": None, "channels": 4},
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": {"height": 34, "width": 32}}, r"height=34 .* multiple of 8; use 32"),
        ({"size": {"height": 32, "width": 4}}, r"width=4 .* multiple of 8; use 8"),
        ({"frames": 0}, "frames=0: at least 1"),
        ({"motion_frames": -1}, "motion_frames=-1: at least 0"),
        ({"frames": 1}, "frames=1 is less than motion_frames=2"),
        ({"frames": 11}, "frames=11 and motion_frames=2 exceed the 12 positions"),
        ({"decode_chunk": 0}, "decode_chunk=0"),
        ({"process": UNMEASURED}, "spread=null is measured in training"),
        ({"device": "abacus"}, "device=abacus is not known"),
        ({"precision": "fp8"}, "precision=fp8 is not known"),
        ({"attention": "flash"}, "attention=flash is not known"),
        ({"attention": "xformers"}, "attention=xformers"),
        ({"landmarks": "dlib"}, "landmarks=dlib is not known"),
        ({"sampler": {"_target_": "hallo_lit.diffusion.sampler.Sampler", "solver": "heun"}}, "solver=heun"),
        ({"sampler": {"_target_": "os.system", "command": "true"}}, "os.system, which is outside hallo_lit"),
        ({"guidance": {"_target_": "hallo_lit.diffusion.guidance.JointGuidance", "scales": 1}}, "does not accept"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_one_sentence(config: Config, change: Config, said: str) -> None:
    with pytest.raises(UserError, match=said):
        from_config({**config, **change})


def test_clips_may_fill_all_positions(config: Config) -> None:
    assert from_config({**config, "frames": 10}).recipe.clip_frames == 10


def test_height_and_width_are_given_alone_or_as_a_size() -> None:
    assert picture_size({"height": 16, "width": 24}, 8) == (16, 24)
    assert picture_size({"size": {"height": 16, "width": 24}}, 8) == (16, 24)
    assert picture_size({"height": 32, "size": {"height": 16, "width": 24}}, 8) == (32, 24)


def test_a_model_without_temporal_parts_has_no_longest_clip(config: Config) -> None:
    hallo = from_config(config).hallo
    for cell in hallo.denoiser.attention_cells():
        cell.temporal = None
    assert make_recipe({**config, "frames": 50}, hallo).clip_frames == 50


def test_released_models_get_the_originals_masks(config: Config) -> None:
    quirks = {"_target_": "hallo_lit.components.hallo.Quirks", "eight_bit_masks": True}
    released = from_config({**config, "model": {**config["model"], "quirks": quirks}})
    assert released.portraits.masks is not from_config(config).portraits.masks
    assert released.portraits.masks.__name__ == "released_masks"


# bundles --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle(animator: Animator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    keys = ("model", "audio_encoder", "face_encoder", "size", "frames", "motion_frames", "sampler", "guidance")
    settings = {key: animator.settings[key] for key in keys}
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    return save_bundle(folder, animator.hallo, settings, {"face_encoder": animator.portraits.face_encoder})


def frames_of(animator: Animator) -> torch.Tensor:
    video = VideoGenerator(
        animator.hallo, animator.recipe, portrait(), animator.handover(), torch.Generator().manual_seed(0)
    )
    return video.decode(video.sample(torch.linspace(-1, 1, 4 * 5 * 4 * 8).view(4, 5, 4, 8)))


def portrait():
    from dataclasses import replace

    return replace(tiny_portrait(), identity=torch.linspace(-1, 1, 24))


def test_a_bundle_makes_the_same_video(animator: Animator, bundle: Path) -> None:
    loaded = Animator.from_pretrained(bundle, device="cpu")
    assert torch.equal(frames_of(loaded), frames_of(animator))
    assert loaded.recipe.sampler == animator.recipe.sampler
    assert loaded.recipe.clip_frames == 4
    assert loaded.portraits.size == (32, 32)
    assert len(loaded.weights) == 64
    assert not loaded.hallo.training


def test_settings_given_win_over_the_bundles_own(bundle: Path) -> None:
    loaded = from_bundle(bundle, {"device": "cpu", "precision": "bf16", "frames": 6})
    assert loaded.recipe.clip_frames == 6
    assert {p.dtype for p in loaded.hallo.parameters()} == {torch.bfloat16}


def test_the_networks_are_always_the_bundles_own(animator: Animator, bundle: Path) -> None:
    loaded = from_bundle(bundle, {"device": "cpu", "model": None, "audio_encoder": None, "face_encoder": None})
    assert isinstance(loaded.hallo, Hallo)
    assert loaded.audio_encoder.width == animator.audio_encoder.width
    assert loaded.settings["model"]["denoiser"] == animator.settings["model"]["denoiser"]  # what metadata will say


def test_a_bundle_without_an_encoder_says_which(animator: Animator, tmp_path: Path) -> None:
    settings = {key: animator.settings[key] for key in ("model", "face_encoder", "size")}
    folder = save_bundle(tmp_path / "mute", animator.hallo, settings, {"face_encoder": animator.portraits.face_encoder})
    with pytest.raises(UserError, match="has no audio_encoder"):
        from_bundle(folder, {"device": "cpu"})


def test_a_bundle_of_something_else_cannot_animate(animator: Animator, tmp_path: Path) -> None:
    settings = {
        "model": {
            "_target_": "hallo_lit.components.vae.LatentCodec",
            "channels": [4, 8],
            "groups": 2,
        },
        "audio_encoder": animator.settings["audio_encoder"],
        "face_encoder": animator.settings["face_encoder"],
    }
    from hallo_lit.components.vae import LatentCodec

    folder = save_bundle(tmp_path / "codec", LatentCodec((4, 8), groups=2), settings)
    with pytest.raises(UserError, match="holds a LatentCodec, which cannot animate"):
        from_bundle(folder, {"device": "cpu"})


def test_a_bad_device_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="device=abacus"):
        from_bundle(tmp_path / "missing", {"device": "abacus"})


def test_parts_can_be_put_together_by_hand(config: Config, animator: Animator) -> None:
    made = assemble(
        {"size": {"height": 16, "width": 24}, "frames": 8, "device": "cpu"},
        from_config(config).hallo,
        animator.audio_encoder,
        animator.portraits.face_encoder,
        "mine",
    )
    assert made.weights == "mine"
    assert made.portraits.size == (16, 24)
    assert made.portraits.multiple == 8
    assert made.recipe.sampler.steps == 40
