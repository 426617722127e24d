"""The denoiser: every size, batches, and one meaning per condition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from hallo_lit.components.hallo import Hallo
from hallo_lit.structs import Conditioning, Drop, KeyValue, MaskPyramid, ReferenceTokens
from tiny_hallo import (
    CLOSE,
    LATENTS,
    SPEC,
    conditioned,
    noisy,
    normal,
    simple,
    times,
    tiny_clip,
    tiny_denoiser,
    tiny_hallo,
    uniform,
)


@pytest.fixture(scope="module")
def hallo() -> Hallo:
    return tiny_hallo().requires_grad_(False)


def given(hallo: Hallo, batch: int = 1, own_masks: bool = False, **other: Any) -> Conditioning:
    return conditioned(hallo, tiny_clip(batch, own_masks=own_masks, **other))


@torch.no_grad()
@pytest.mark.parametrize("size", [(4, 4), (4, 16), (12, 8)])
@pytest.mark.parametrize("frames", [1, 4])
def test_any_size_works(size: tuple[int, int], frames: int) -> None:
    net = tiny_denoiser()
    masks = MaskPyramid.from_masks(uniform(3, 1, 3, 20, 28), size, 3)
    x = normal(1, 1, frames, 4, *size)
    assert net(x, times(), replace(simple(frames), masks=masks)).shape == x.shape


@torch.no_grad()
@pytest.mark.parametrize("own_masks", [False, True])
def test_clips_of_a_batch_do_not_meet(hallo: Hallo, own_masks: bool) -> None:
    clip, x, t = tiny_clip(2, own_masks=own_masks), noisy(2), times(2)
    both = hallo(x, t, conditioned(hallo, clip))
    for i in range(2):
        rows = slice(i, i + 1)
        alone = type(clip)(*(getattr(clip, name)[rows] for name in clip.__dataclass_fields__))
        torch.testing.assert_close(both[rows], hallo(x[rows], t[rows], conditioned(hallo, alone)), **CLOSE)


@torch.no_grad()
def test_what_all_frames_share_may_be_given_once_or_per_frame(hallo: Hallo) -> None:
    cond = given(hallo)
    wanted = hallo(noisy(), times(), cond)
    masks = MaskPyramid(tuple(level.expand(-1, 3, -1, -1) for level in cond.masks.levels))
    location = cond.location.expand(-1, 3, -1, -1, -1)
    assert torch.equal(hallo(noisy(), times(), replace(cond, masks=masks, location=location)), wanted)
    other = replace(cond, location=torch.cat([location[:, :1], location[:, 1:] + 1], 1))
    assert not torch.equal(hallo(noisy(), times(), other), wanted)


@torch.no_grad()
@pytest.mark.parametrize("name", ["identity", "region_scale", "audio", "masks", "location", "portrait", "motion"])
def test_every_condition_matters(hallo: Hallo, name: str) -> None:
    cond = given(hallo)
    value: Any = getattr(cond, name)
    if name == "masks":
        other: Any = MaskPyramid(tuple(1 - level for level in value.levels))
    elif name == "portrait":
        other = tuple(KeyValue(pair.key, -pair.value) for pair in value)
    elif name == "motion":
        other = tuple(-tokens for tokens in value)
    else:
        other = value * -1
    wanted = hallo(noisy(), times(), cond)
    assert (hallo(noisy(), times(), replace(cond, **{name: other})) - wanted).abs().max() > 0.01
    assert (hallo(noisy(), times() - 400, cond) - wanted).abs().max() > 0.01


@torch.no_grad()
def test_region_scales_weigh_the_regions(hallo: Hallo) -> None:
    """The first cell's fusion is linear in the scales."""
    cell, updates = hallo.denoiser.down[0].cells[0], []
    handle = cell.audio.block.fusion.register_forward_hook(lambda _, args, out: updates.append(out))
    for scale in ((1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (1.0, 3.0, 1.0), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0)):
        hallo(noisy(), times(), replace(given(hallo), region_scale=torch.tensor(scale)))
    handle.remove()
    plain, *weighted, none = updates
    torch.testing.assert_close(sum(u - plain for u in weighted) / 2, plain, **CLOSE)
    assert not none.any()


@torch.no_grad()
def test_no_audio_is_zero_audio(hallo: Hallo) -> None:
    cond = given(hallo)
    silent = hallo(noisy(), times(), replace(cond, audio=None))
    zeros = hallo(noisy(), times(), replace(cond, audio=torch.zeros_like(cond.audio)))
    torch.testing.assert_close(silent, zeros, **CLOSE)
    assert (silent - hallo(noisy(), times(), cond)).abs().max() > 0.01


@torch.no_grad()
def test_a_clip_without_its_portrait_attends_to_itself_alone(hallo: Hallo) -> None:
    cond = given(hallo, 2)
    plain = hallo(noisy(2), times(2), replace(cond, portrait=None))
    mixed = hallo(noisy(2), times(2), replace(cond, keep_portrait=torch.tensor([False, True])))
    torch.testing.assert_close(mixed[:1], plain[:1], **CLOSE)
    whole = hallo(noisy(2), times(2), cond)
    torch.testing.assert_close(mixed[1:], whole[1:], **CLOSE)
    assert (whole - plain).abs().amax((1, 2, 3, 4)).min() > 0.01


@torch.no_grad()
def test_null_passes_attend_to_no_portrait_and_no_audio(hallo: Hallo) -> None:
    lengths: list[int] = []
    block = hallo.denoiser.down[0].cells[0].spatial.block
    processor, heard = block.attn1.processor, []
    block.attn1.processor = lambda q, k, v: (lengths.append(k.shape[2]), processor(q, k, v))[1]
    fusion = hallo.denoiser.down[0].cells[0].audio.block.fusion
    handle = fusion.attn[0].to_q.register_forward_hook(lambda *_: heard.append(1))
    drop = Drop.cat([Drop.unconditional(1), Drop.none(1)])
    batched = conditioned(hallo, tiny_clip(1).repeat(2), drop)
    for row in range(2):
        hallo(noisy(), times(), batched.row(row, drop))
    handle.remove()
    block.attn1.processor = processor
    tokens = LATENTS[0] * LATENTS[1]
    assert lengths == [tokens, 2 * tokens]
    assert len(heard) == 1


@torch.no_grad()
def test_frames_read_several_portraits_in_turn(hallo: Hallo) -> None:
    cond, other = given(hallo), conditioned(hallo, tiny_clip(seed=9)).portrait
    both = tuple(
        KeyValue(*(torch.cat(pair, 1) for pair in zip(a, b, strict=True)))
        for a, b in zip(cond.portrait, other, strict=True)
    )
    seen: list[Tensor] = []
    spatial = hallo.denoiser.down[0].cells[0].spatial
    handle = spatial.register_forward_hook(lambda _, args, out: seen.append(out[0]))
    for portrait in (cond.portrait, other, both):
        hallo(noisy(), times(), replace(cond, portrait=portrait))
    handle.remove()
    first, second, turns = seen
    assert torch.equal(turns[[0, 2]], first[[0, 2]])
    assert torch.equal(turns[1], second[1])


@torch.no_grad()
def test_portrait_keys_are_those_of_each_blocks_own_attention(hallo: Hallo) -> None:
    tokens = hallo.reference_net(normal(1, 2, 3, 4, *LATENTS), normal(2, 2, 3, 3, SPEC.context_dim))
    pairs = hallo.denoiser.project_portrait(tokens)
    assert len(pairs) == 7
    for cell, seen, pair in zip(hallo.denoiser.attention_cells(), tokens.portrait, pairs, strict=True):
        attn = cell.spatial.block.attn1
        assert torch.equal(pair.key.transpose(-3, -2).flatten(-2), attn.to_k(seen))
        assert torch.equal(pair.value.transpose(-3, -2).flatten(-2), attn.to_v(seen))


def test_portraits_of_another_trunk_are_refused(hallo: Hallo) -> None:
    with pytest.raises(ValueError, match="zip"):
        hallo.denoiser.project_portrait(ReferenceTokens((normal(1, 1, 1, 96, 16),), ()))
