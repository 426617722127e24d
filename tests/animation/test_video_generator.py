"""Clip by clip: what is computed how often, and that it is what the parts compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from hallo_lit.animation.handover import Handover, LatentHandover, PixelHandover
from hallo_lit.animation.video_generator import Recipe, VideoGenerator
from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.guidance import Guidance, IntervalGuidance, JointGuidance, NoGuidance, SplitGuidance
from hallo_lit.diffusion.noise import draw_noise
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.reference_prior import ReferencePrior
from hallo_lit.diffusion.sampler import Sampler, sample_clip
from hallo_lit.structs import ClipInputs, Drop
from tiny_hallo import CLOSE, LAYERS, PIXELS, WIDTH, WINDOW, Calls, normal, tiny_hallo, tiny_portrait

FRAMES, MOTION = 3, 2


@pytest.fixture(scope="module")
def hallo() -> Hallo:
    return tiny_hallo().eval()


def recipe(guidance: Guidance | None = None, steps: int = 2, **other: Any) -> Recipe:
    sampler = Sampler("ddim", steps)
    return Recipe(NoiseProcess(), sampler, guidance or JointGuidance(2.0), clip_frames=FRAMES, **other)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def video(hallo: Hallo, recipe: Recipe, handover: Handover | None = None, seed: int = 0, **other: Any):
    return VideoGenerator(hallo, recipe, tiny_portrait(), handover or PixelHandover(), generator(seed), **other)


def audio(seed: int = 3) -> Tensor:
    return normal(seed, FRAMES, WINDOW, LAYERS, WIDTH)


def clips(made: VideoGenerator, count: int) -> Tensor:
    return torch.cat([made.decode(made.sample(audio(seed))) for seed in range(count)])


# constant work once ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "encoded"), [(PixelHandover, [1, MOTION, MOTION]), (LatentHandover, [1])])
def test_a_portrait_is_read_once_per_video_and_the_past_once_per_clip(
    kind: Callable[[], Handover], encoded: list[int]
) -> None:
    hallo = tiny_hallo()
    names = ("reference_net", "face_locator", "identity_projection", "audio_projection")
    calls = {name: Calls(getattr(hallo, name)) for name in names}
    encoder, decoder = Calls(hallo.codec.vae.encoder), Calls(hallo.codec.vae.decoder)
    rows: list[int] = []
    hallo.reference_net.register_forward_pre_hook(lambda _, args: rows.append(args[0].shape[1]))
    made = video(hallo, recipe(decode_chunk=2), kind())
    clips(made, 3)
    assert {name: len(call) for name, call in calls.items()} == {
        "reference_net": 1 + 3,
        "face_locator": 1,
        "identity_projection": 1,
        "audio_projection": 3,
    }
    assert calls["reference_net"].rows == [2] * 4  # both passes side by side
    assert rows == [1, MOTION, MOTION, MOTION]  # the portrait, then nothing but motion frames
    assert encoder.rows == encoded  # the first clip starts from the portrait's latents
    assert decoder.rows == [2, 1] * 3


@pytest.mark.parametrize(
    ("guidance", "passes"),
    [
        (NoGuidance(), 4),
        (JointGuidance(1.0), 4),
        (JointGuidance(3.0), 8),
        (SplitGuidance(3.0, 3.0), 8),
        (SplitGuidance(3.0, 2.0), 12),
        (IntervalGuidance(JointGuidance(3.0), 999, 500), 6),  # of 999, 749, 499 and 249
    ],
    ids=lambda value: value if isinstance(value, int) else value.describe(),
)
def test_guidance_decides_how_many_passes_run(hallo: Hallo, guidance: Guidance, passes: int) -> None:
    asked: list[int] = []

    def denoise(x: Tensor, timestep: Tensor, cond: Any) -> Tensor:
        asked.append(len(x))
        return hallo(x, timestep, cond)

    made = video(hallo, recipe(guidance, steps=4), denoise=denoise)
    made.sample(audio())
    assert asked == [1] * passes


# values ---------------------------------------------------------------------------------------------------------------


def test_scale_one_is_no_guidance_and_equal_scales_are_joint(hallo: Hallo) -> None:
    none, one, joint, split = (
        clips(video(hallo, recipe(guidance)), 2)
        for guidance in (NoGuidance(), JointGuidance(1.0), JointGuidance(2.5), SplitGuidance(2.5, 2.5))
    )
    assert torch.equal(one, none)
    assert torch.equal(split, joint)
    assert (joint - none).abs().max() > 0.01


@torch.no_grad()
@pytest.mark.parametrize("guidance", [JointGuidance(2.5), SplitGuidance(3.0, 1.5)], ids=lambda g: g.describe())
def test_a_clip_is_what_its_parts_compute_one_by_one(hallo: Hallo, guidance: Guidance) -> None:
    portrait, features = tiny_portrait(), audio()
    made = video(hallo, recipe(guidance, region_scale=(0.5, 1.0, 2.0)))
    latents = hallo.encode(portrait.pixels[None])
    inputs = ClipInputs(
        latents,
        latents[:, None].expand(-1, MOTION, -1, -1, -1),
        features[None],
        portrait.identity[None],
        portrait.regions[None],
        portrait.locator[None],
    )
    scale = torch.tensor([0.5, 1.0, 2.0])
    *nulls, given = (
        hallo.condition(inputs, hallo.prepare(inputs, drop), drop, scale) for drop in (*guidance.nulls, Drop.none(1))
    )
    noise = draw_noise((1, 4, FRAMES, 8, 12), generator()).transpose(1, 2)
    scheduler = Sampler("ddim", 2).scheduler(NoiseProcess())
    wanted = sample_clip(hallo, noise, scheduler, guidance, given, nulls)
    torch.testing.assert_close(made.sample(features), wanted[0], rtol=1e-3, atol=2e-4)


def test_frames_are_pictures(hallo: Hallo) -> None:
    made = video(hallo, recipe())
    latents = made.sample(audio())
    frames = made.decode(latents)
    assert not frames.requires_grad
    assert latents.shape == (FRAMES, 4, 8, 12)
    assert frames.shape == (FRAMES, 3, *PIXELS)
    assert frames.dtype == torch.float32
    assert (float(frames.min()), float(frames.max())) == (0.0, 1.0)  # untrained: some values had to be clamped
    with torch.no_grad():
        wanted = (hallo.codec.decode(latents) / 2 + 0.5).clamp(0, 1)
    torch.testing.assert_close(frames, wanted, **CLOSE)


@pytest.mark.parametrize("kind", [PixelHandover, LatentHandover])
def test_the_last_frames_become_the_next_clips_past(hallo: Hallo, kind: Callable[[], Handover]) -> None:
    made, given = video(hallo, recipe(), kind()), []
    condition = hallo.condition
    hallo.condition = lambda clip, *rest: (given.append(clip.past), condition(clip, *rest))[1]  # type: ignore
    first = made.sample(audio(1))
    frames = made.decode(first)
    made.sample(audio(2))
    del hallo.condition
    start, past = given
    assert torch.equal(start[0], made.known.portrait.expand(MOTION, -1, -1, -1))
    with torch.no_grad():
        wanted = first[-MOTION:] if kind is LatentHandover else hallo.encode(frames[-MOTION:] * 2 - 1)
    torch.testing.assert_close(past[0], wanted, **CLOSE)
    assert len(past) == 2  # for both passes


def test_a_seed_gives_one_video_and_another_seed_another(hallo: Hallo) -> None:
    first, again, other = (clips(video(hallo, recipe(), seed=seed), 2) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.01


def test_noise_given_is_the_noise_that_would_have_been_drawn(hallo: Hallo) -> None:
    drawn, given = video(hallo, recipe()), video(hallo, recipe())
    assert torch.equal(drawn.sample(audio()), given.sample(audio(), given.noise()))
    assert not torch.equal(drawn.noise(), video(hallo, recipe()).noise())  # clips have noise of their own


def test_sound_and_region_scales_matter(hallo: Hallo) -> None:
    usual = video(hallo, recipe()).sample(audio(1))
    assert (video(hallo, recipe()).sample(audio(2)) - usual).abs().max() > 0.01
    for scale in ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)):
        assert (video(hallo, recipe(region_scale=scale)).sample(audio(1)) - usual).abs().max() > 0.01


def test_steps_are_reported(hallo: Hallo) -> None:
    seen: list[int] = []
    video(hallo, recipe(steps=4)).sample(audio(), on_step=lambda t, x: seen.append(t))
    assert seen == [999, 749, 499, 249]


@pytest.mark.parametrize("motion", [0, 1, 3])
def test_any_number_of_motion_frames_works(hallo: Hallo, motion: int) -> None:
    made = video(hallo, recipe(motion_frames=motion))
    frames = clips(made, 2)
    assert frames.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_runs_on_a_cpu_and_resembles_fp32(dtype: torch.dtype) -> None:
    plan = recipe(JointGuidance(1.5))
    exact = clips(video(tiny_hallo(), plan), 1)
    rounded = clips(video(tiny_hallo().to(dtype), plan), 1)
    assert rounded.dtype == torch.float32
    assert (exact - rounded).abs().mean() < 0.03


def test_a_photo_of_another_size_gives_frames_of_its_size(hallo: Hallo) -> None:
    portrait = tiny_portrait()
    wide = replace(portrait, pixels=normal(1, 3, 16, 64).clamp(-1, 1), locator=torch.ones(1, 16, 64))
    made = VideoGenerator(hallo, recipe(), wide, PixelHandover(), generator())
    assert made.decode(made.sample(audio())).shape == (FRAMES, 3, 16, 64)


def test_expressions_are_the_same_in_every_pass_of_guidance() -> None:
    hallo = tiny_hallo(expression=True).eval()
    seen: list[Tensor] = []

    def denoise(x: Tensor, timestep: Tensor, cond: Any) -> Tensor:
        seen.append(cond.reference)
        return hallo(x, timestep, cond)

    told = normal(9, FRAMES, 2)
    starts = replace(recipe(SplitGuidance(2.0, 1.0)), process=NoiseProcess(prior=ReferencePrior()))
    calls = Calls(hallo.expression_net)
    shown = video(hallo, starts, denoise=denoise).sample(audio(), expression=told)
    assert calls.rows == [1]  # once for all steps and passes
    with_portrait = [reference for reference in seen if reference is not None]
    assert len(with_portrait) >= 4
    assert all(reference.shape[1] == FRAMES for reference in with_portrait)
    for reference in with_portrait:
        torch.testing.assert_close(reference, with_portrait[0], **CLOSE)
    assert not torch.equal(with_portrait[0][:, 0], with_portrait[0][:, 1])
    assert (shown - video(hallo, starts).sample(audio())).abs().max() > 0.01
