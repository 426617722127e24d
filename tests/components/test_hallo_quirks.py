"""What released Hallo weights expect, one switch each."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from hallo_lit.components.hallo import Quirks
from hallo_lit.structs import Drop
from tiny_hallo import (
    CLOSE,
    assert_same,
    conditioned,
    lost,
    noisy,
    tiny_clip,
    tiny_hallo,
)

T = torch.tensor([500])


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
