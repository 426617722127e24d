"""Hallo: what each condition becomes, and what its loss means."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.hallo import Hallo
from hallo_lit.structs import ClipInputs, Drop
from tiny_hallo import (
    CLOSE,
    EXTRAS,
    SPEC,
    Calls,
    assert_same,
    conditioned,
    lost,
    noisy,
    normal,
    redraw,
    tiny_clip,
    tiny_hallo,
)

T = torch.tensor([500])


@pytest.fixture(scope="module")
def hallo() -> Hallo:
    return tiny_hallo().requires_grad_(False)


def one(clip: ClipInputs, index: int) -> ClipInputs:
    return ClipInputs(*(getattr(clip, name)[index : index + 1] for name in clip.__dataclass_fields__))


@torch.no_grad()
def test_the_portrait_is_prepared_once_and_a_clip_reads_its_motion_frames_only() -> None:
    hallo, clip = tiny_hallo(), tiny_clip()
    calls = {name: Calls(getattr(hallo, name)) for name in ("reference_net", "face_locator", "identity_projection")}
    encoder = Calls(hallo.codec.vae.encoder)
    prepared = hallo.prepare(clip, Drop.none(1))
    assert {name: len(call) for name, call in calls.items()} == dict.fromkeys(calls, 1)
    assert encoder.rows == [1]
    for _ in range(2):
        hallo.condition(clip, prepared, Drop.none(1))
    assert {name: len(call) for name, call in calls.items()} == {
        "reference_net": 3,
        "face_locator": 1,
        "identity_projection": 1,
    }
    assert encoder.rows == [1, 2, 2]  # two motion frames per clip


@torch.no_grad()
def test_latents_pass_the_codec_by(hallo: Hallo) -> None:
    clip = tiny_clip(2)
    encoder = Calls(hallo.codec.vae.encoder)
    ready = replace(clip, portrait=hallo.codec.encode(clip.portrait), past=hallo.codec.encode(clip.past))
    before = len(encoder)
    cond = conditioned(hallo, ready)
    assert len(encoder) == before
    assert_same(cond, conditioned(hallo, clip))


@torch.no_grad()
def test_clips_of_a_batch_do_not_meet(hallo: Hallo) -> None:
    clip, drop = tiny_clip(2), Drop.cat([Drop.none(1), lost("audio", "motion")])
    both = conditioned(hallo, clip, drop)
    for i in range(2):
        assert_same(both.row(i, Drop.none(2)), conditioned(hallo, one(clip, i), Drop.where(1, LOST[i])))


LOST = ((), ("audio", "motion"))


@torch.no_grad()
def test_a_lost_identity_is_the_projection_of_zeros(hallo: Hallo) -> None:
    cond = conditioned(hallo, tiny_clip(), lost("identity"))
    unknown = hallo.identity_projection(torch.zeros(1, 7))
    assert torch.equal(cond.identity, unknown)
    stranger = conditioned(hallo, replace(tiny_clip(), identity=torch.zeros(1, 7)))
    assert_same(cond, stranger)  # the ReferenceNet, too, reads the unknown identity
    assert (cond.motion[-1] - conditioned(hallo, tiny_clip()).motion[-1]).abs().max() > 0.01


@torch.no_grad()
def test_a_lost_location_is_no_feature_and_not_the_feature_of_an_empty_picture(hallo: Hallo) -> None:
    cond = conditioned(hallo, tiny_clip(), lost("location"))
    assert not cond.location.any()
    assert hallo.face_locator(torch.zeros(1, 1, 32, 48)).abs().max() > 0.1


@torch.no_grad()
def test_lost_audio_is_zero_tokens(hallo: Hallo) -> None:
    cond = conditioned(hallo, tiny_clip(), lost("audio"))
    assert cond.audio.shape == (1, 3, 3, 10)
    assert not cond.audio.any()
    torch.testing.assert_close(hallo(noisy(), T, cond), hallo(noisy(), T, replace(cond, audio=None)), **CLOSE)


@torch.no_grad()
def test_lost_motion_frames_are_the_portrait_again(hallo: Hallo) -> None:
    clip = tiny_clip()
    still = replace(clip, past=clip.portrait[:, None].expand(-1, 2, -1, -1, -1))
    assert_same(conditioned(hallo, clip, lost("motion")), conditioned(hallo, still))
    assert (conditioned(hallo, clip).motion[0] - conditioned(hallo, still).motion[0]).abs().max() > 0.01


@torch.no_grad()
def test_a_lost_portrait_is_seen_neither_by_attention_nor_as_input(hallo: Hallo) -> None:
    cond = conditioned(hallo, tiny_clip(), lost("portrait"))
    assert cond.keep_portrait.tolist() == [False]
    assert not cond.reference.any()
    other = conditioned(hallo, replace(tiny_clip(), portrait=tiny_clip(seed=50).portrait), lost("portrait"))
    torch.testing.assert_close(hallo(noisy(), T, cond), hallo(noisy(), T, other), **CLOSE)
    torch.testing.assert_close(hallo(noisy(), T, cond), hallo(noisy(), T, replace(cond, portrait=None)), **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("name", ["portrait", "identity", "audio", "motion", "location"])
def test_each_clip_has_coins_of_its_own(hallo: Hallo, name: str) -> None:
    clip, x, t = tiny_clip(2), noisy(2), torch.tensor([500, 100])
    drop = Drop.cat([lost(name), Drop.none(1)])
    mixed = hallo(x, t, conditioned(hallo, clip, drop))
    for i, own in enumerate((lost(name), Drop.none(1))):
        alone = hallo(x[i : i + 1], t[i : i + 1], conditioned(hallo, one(clip, i), own))
        torch.testing.assert_close(mixed[i : i + 1], alone, **CLOSE)
    whole = hallo(x, t, conditioned(hallo, clip))
    assert (whole[0] - mixed[0]).abs().max() > 0.01


@torch.no_grad()
@pytest.mark.parametrize(
    "second",
    [Drop.unconditional(1), Drop.where(1, ("audio",)), Drop.where(1, ("location",)), Drop.none(1)],
    ids=["unconditional", "audio", "location", "none"],
)
def test_rows_of_a_conditioning_equal_the_batched_pass(hallo: Hallo, second: Drop) -> None:
    """Sampling runs the rows one by one without what they lost; training runs them side by side with keep masks."""
    drop = Drop.cat([second, Drop.none(1)])
    cond = conditioned(hallo, tiny_clip().repeat(2), drop)
    side_by_side = hallo(noisy().expand(2, -1, -1, -1, -1), T.expand(2), cond)
    for i in range(2):
        torch.testing.assert_close(hallo(noisy(), T, cond.row(i, drop)), side_by_side[i : i + 1], **CLOSE)


@torch.no_grad()
def test_the_null_of_joint_guidance_knows_motion_frames_and_masks_alone(hallo: Hallo) -> None:
    clip, other = tiny_clip(), tiny_clip(seed=77)

    def null(changed: ClipInputs) -> Tensor:
        drop = Drop.unconditional(1)
        return hallo(noisy(), T, conditioned(hallo, changed, drop).row(0, drop))

    for name in ("portrait", "audio", "identity", "locator"):
        torch.testing.assert_close(null(replace(clip, **{name: getattr(other, name)})), null(clip), **CLOSE)
    for name in ("past", "regions"):
        assert (null(replace(clip, **{name: getattr(other, name)})) - null(clip)).abs().max() > 1e-3


@torch.no_grad()
def test_region_scales_are_ones_unless_given(hallo: Hallo) -> None:
    assert torch.equal(conditioned(hallo, tiny_clip()).region_scale, torch.ones(3))
    scale = torch.tensor([0.1, 0.2, 0.3])
    assert conditioned(hallo, tiny_clip(), scale=scale).region_scale is scale


@torch.no_grad()
def test_a_first_stage_has_no_past_and_no_audio() -> None:
    hallo = tiny_hallo(fusion=None, temporal=False)
    hallo.audio_projection = None
    clip = tiny_clip(2, frames=1, motion=0)
    cond = conditioned(hallo, clip)
    assert (cond.motion, cond.audio) == (None, None)
    assert hallo(noisy(2, 1), torch.tensor([1, 2]), cond).shape == (2, 1, 4, 8, 12)


@torch.no_grad()
def test_the_portrait_may_also_be_an_input() -> None:
    hallo = tiny_hallo()
    hallo.denoiser = redraw(DenoisingUNet(SPEC, EXTRAS, reference_input=True))
    clip = tiny_clip(2)
    drop = Drop.cat([Drop.none(1), Drop.unconditional(1)])
    cond = conditioned(hallo, clip, drop)
    assert torch.equal(cond.reference[0, 0], hallo.encode(clip.portrait)[0])
    assert not cond.reference[1].any()
    both = hallo(noisy(2), T.expand(2), cond)
    for i in range(2):
        torch.testing.assert_close(hallo(noisy(2)[i : i + 1], T, cond.row(i, drop)), both[i : i + 1], **CLOSE)
    moved = hallo(noisy(2), T.expand(2), replace(cond, reference=cond.reference + normal(5, 1, 1, 4, 8, 12)))
    assert (moved - both).abs().max() > 0.01


@torch.no_grad()
def test_expressions_change_the_portrait_that_frames_start_from() -> None:
    hallo, told = tiny_hallo(expression=True), tiny_clip(batch=2)
    clip = replace(told, expression=torch.zeros(0))
    plain = conditioned(hallo, clip)
    assert plain.reference is not None
    assert plain.reference.shape == (2, 1, 4, *plain.reference.shape[-2:])
    shown = conditioned(hallo, told).reference
    assert shown is not None
    assert shown.shape == (2, 3, 4, *plain.reference.shape[-2:])
    assert (shown - plain.reference).abs().max() > 0.01
    still = conditioned(hallo, replace(clip, expression=torch.zeros(2, 3, 2))).reference
    assert still is not None
    torch.testing.assert_close(still, plain.reference.expand_as(still), **CLOSE)
    gone = conditioned(hallo, told, lost("portrait", of=2)).reference
    assert gone is not None
    assert not gone.any()
