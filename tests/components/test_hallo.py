"""Hallo: what each condition becomes, what its loss means, and what the released weights' quirks change."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.hallo import Hallo, Quirks
from hallo_lit.structs import ClipInputs, Conditioning, Drop, DropRates
from tiny_hallo import CLOSE, EXTRAS, SPEC, Calls, conditioned, noisy, normal, redraw, tiny_clip, tiny_hallo

T = torch.tensor([500])


@pytest.fixture(scope="module")
def hallo() -> Hallo:
    return tiny_hallo().requires_grad_(False)


def one(clip: ClipInputs, index: int) -> ClipInputs:
    return ClipInputs(*(getattr(clip, name)[index : index + 1] for name in clip.__dataclass_fields__))


def lost(*names: str, of: int = 1) -> Drop:
    return Drop.where(of, names)


def assert_same(ours: Conditioning, wanted: Conditioning) -> None:
    """Every field of two conditionings."""
    for name in wanted.__dataclass_fields__:
        a, b = getattr(ours, name), getattr(wanted, name)
        if name == "masks":
            a, b = a.levels, b.levels
        torch.testing.assert_close(a, b, **CLOSE, msg=lambda text, name=name: f"{name}: {text}")


# once per video, once per clip ----------------------------------------------------------------------------------------


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


# what a lost condition is ---------------------------------------------------------------------------------------------


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


# gradients ------------------------------------------------------------------------------------------------------------


def gradients(hallo: Hallo, drop: Drop, checkpointing: bool = False) -> dict[str, Tensor | None]:
    hallo.zero_grad()
    out = hallo(noisy(2), torch.tensor([500, 100]), conditioned(hallo, tiny_clip(2), drop))
    (out - 1).square().mean().backward()
    return {name: p.grad for name, p in hallo.named_parameters() if not name.startswith("codec.")}


@pytest.mark.parametrize(
    "quirks", [Quirks(), Quirks(empty_motion_frames=4, grey_motion=True)], ids=["ours", "released"]
)
@pytest.mark.parametrize(
    "names", [(), ("portrait", "identity", "location", "audio", "motion")], ids=["nothing lost", "everything lost"]
)
def test_every_parameter_gets_a_gradient_whatever_is_lost(names: tuple[str, ...], quirks: Quirks) -> None:
    """Distributed training waits for ever for a parameter that takes no part in a step."""
    found = gradients(tiny_hallo(quirks), lost(*names, of=2))
    assert [name for name, gradient in found.items() if gradient is None] == []
    if not names:
        assert [name for name, gradient in found.items() if not gradient.any()] == []


def test_lost_conditions_teach_nothing() -> None:
    found = gradients(tiny_hallo(), lost("audio", "location", of=2))
    for name, gradient in found.items():
        if name.startswith(("audio_projection.", "face_locator.")):
            assert not gradient.any(), name
    assert found["denoiser.down.0.cells.0.audio.block.fusion.zero_conv.2.bias"].any()


def test_the_codec_is_frozen_when_its_weights_are(hallo: Hallo) -> None:
    trained = tiny_hallo()
    gradients(trained, Drop.none(2))
    assert all(p.grad is None for p in trained.codec.parameters())


def test_random_coins_leave_no_parameter_out() -> None:
    hallo, generator = tiny_hallo(), torch.Generator().manual_seed(0)
    for _ in range(4):
        drop = Drop.sample(2, DropRates(0.5, 0.5, 0.5), generator)
        assert None not in gradients(hallo, drop).values()


# quirks of released weights -------------------------------------------------------------------------------------------


@torch.no_grad()
def test_no_quirk_is_on_by_default() -> None:
    assert Quirks() == Quirks(False, False, False, 0, False, False)
    assert tiny_hallo().quirks == Quirks()


@torch.no_grad()
@pytest.mark.parametrize("ready", [False, True], ids=["pixels", "latents"])
def test_grey_motion_frames_replace_lost_ones(ready: bool) -> None:
    hallo, clip = tiny_hallo(Quirks(grey_motion=True)), tiny_clip()
    grey = replace(clip, past=torch.zeros_like(clip.past))
    wanted = conditioned(hallo, grey)
    if ready:
        clip = replace(clip, portrait=hallo.encode(clip.portrait), past=hallo.encode(clip.past))
    assert_same(conditioned(hallo, clip, lost("motion")), wanted)


@torch.no_grad()
def test_empty_motion_frames_stand_in_when_portrait_and_motion_are_lost() -> None:
    hallo = tiny_hallo(Quirks(empty_motion_frames=4))
    cond = conditioned(hallo, tiny_clip(), lost("portrait", "motion"))
    tokens = [(96, 16), (24, 32), (6, 32), *[(24, 32)] * 2, *[(96, 16)] * 2]
    assert [tuple(t.shape) for t in cond.motion] == [(1, 4, *size) for size in tokens]
    assert not any(t.any() for t in cond.motion)
    assert hallo(noisy(), T, cond).shape == noisy().shape
    assert conditioned(hallo, tiny_clip(), lost("motion")).motion[0].shape[1] == 2


@torch.no_grad()
def test_tiled_identities_follow_the_rows_of_the_whole_batch() -> None:
    clip, drop = tiny_clip().repeat(2), Drop.cat([Drop.unconditional(1), Drop.none(1)])
    plain, tiled = tiny_hallo(), tiny_hallo(Quirks(tile_identity=True))
    u, c = (plain.identity_projection(e) for e in (torch.zeros(1, 7), clip.identity[:1]))
    rows = []
    tiled.reference_net.register_forward_pre_hook(lambda _, args: rows.append(args[1]))
    conditioned(tiled, clip, drop)
    portraits, motion = rows
    seen = torch.cat([portraits, motion], 1).flatten(0, 1)
    wanted = torch.cat([u, c, u, c, u, c])  # u, c, u for the first clip's portrait and motion frames
    torch.testing.assert_close(seen, wanted, **CLOSE)


@torch.no_grad()
def test_tiled_portraits_follow_the_frames_of_the_whole_batch() -> None:
    """Row r of the flattened batch reads portrait r mod batch."""
    hallo, plain, frames = tiny_hallo(Quirks(tile_portraits=True)), tiny_hallo(), 3
    clip = tiny_clip(2, frames)
    wanted = plain.prepare(clip, Drop.none(2)).portrait
    made = conditioned(hallo, clip).portrait
    for pair, own in zip(made, wanted, strict=True):
        assert pair.key.shape[1] == 2
        for b in range(2):
            for j in range(frames):
                assert torch.equal(pair.key[b, j % 2], own.key[(b * frames + j) % 2, 0])
                assert torch.equal(pair.value[b, j % 2], own.value[(b * frames + j) % 2, 0])


@torch.no_grad()
def test_half_tokens_are_rounded_on_their_way() -> None:
    exact, rounded = (
        conditioned(tiny_hallo(), tiny_clip()),
        conditioned(tiny_hallo(Quirks(half_tokens=True)), tiny_clip()),
    )
    for a, b in zip(exact.motion, rounded.motion, strict=True):
        assert torch.equal(a.half().float(), b)
        assert not torch.equal(a, b)
    assert not torch.equal(exact.portrait[0].key, rounded.portrait[0].key)


@torch.no_grad()
def test_eight_bit_masks_are_grey_levels() -> None:
    masks = conditioned(tiny_hallo(Quirks(eight_bit_masks=True)), tiny_clip()).masks
    for level in masks.levels:
        levels = level * 255
        torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-4)
    exact = conditioned(tiny_hallo(), tiny_clip()).masks.levels[0] * 255
    assert (exact - exact.round()).abs().max() > 0.1


# optional inputs ------------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_the_portrait_may_also_be_an_input() -> None:
    hallo = tiny_hallo()
    hallo.denoiser = redraw(DenoisingUNet(SPEC, EXTRAS, reference_input=True))
    clip = tiny_clip(2)
    drop = Drop.cat([Drop.none(1), Drop.unconditional(1)])
    cond = conditioned(hallo, clip, drop)
    assert torch.equal(cond.reference[0], hallo.encode(clip.portrait)[0])
    assert not cond.reference[1].any()
    both = hallo(noisy(2), T.expand(2), cond)
    for i in range(2):
        torch.testing.assert_close(hallo(noisy(2)[i : i + 1], T, cond.row(i, drop)), both[i : i + 1], **CLOSE)
    moved = hallo(noisy(2), T.expand(2), replace(cond, reference=cond.reference + normal(5, 1, 4, 8, 12)))
    assert (moved - both).abs().max() > 0.01
