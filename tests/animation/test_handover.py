"""What one clip passes on to the next."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.animation.handover import Handover, LatentHandover, PixelHandover
from tiny_hallo import normal

PORTRAIT, LATENTS = normal(1, 1, 3, 16, 24), normal(2, 1, 4, 4, 6)
both = pytest.mark.parametrize("kind", [PixelHandover, LatentHandover])


@both
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_video_starts_from_the_portraits_latents(kind: type[Handover], count: int) -> None:
    past = kind().past(PORTRAIT, LATENTS, count)
    assert past.shape == (1, count, 4, 4, 6)
    assert torch.equal(past, LATENTS[:, None].expand(-1, count, -1, -1, -1))


def kept(kind: type[Handover]) -> Handover:
    handover = kind()
    for seed in (5, 7):
        handover.keep(normal(seed, 3, 3, 16, 24), normal(seed + 1, 3, 4, 4, 6))
    return handover


def test_pixels_are_clamped_as_a_picture_would_be() -> None:
    past = kept(PixelHandover).past(PORTRAIT, LATENTS, 2)
    assert torch.equal(past, normal(7, 3, 3, 16, 24)[None, 1:].clamp(-1, 1))


def test_latents_are_as_they_left_the_sampler() -> None:
    assert torch.equal(kept(LatentHandover).past(PORTRAIT, LATENTS, 2), normal(8, 3, 4, 4, 6)[None, 1:])


@both
@pytest.mark.parametrize(("count", "given"), [(0, 0), (1, 1), (3, 3), (5, 3)])
def test_the_last_frames_are_given_oldest_first(kind: type[Handover], count: int, given: int) -> None:
    handover = kept(kind)
    everything = handover.past(PORTRAIT, LATENTS, 3)
    assert torch.equal(handover.past(PORTRAIT, LATENTS, count), everything[:, 3 - given :])


@both
def test_what_is_given_has_the_precision_of_the_model(kind: type[Handover]) -> None:
    assert kept(kind).past(PORTRAIT.bfloat16(), LATENTS.bfloat16(), 2).dtype == torch.bfloat16


@both
def test_two_videos_share_nothing(kind: type[Handover]) -> None:
    kept(kind)
    assert torch.equal(kind().past(PORTRAIT, LATENTS, 1)[:, 0], LATENTS)
