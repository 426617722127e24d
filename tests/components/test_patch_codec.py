"""What the codec promises beyond the fit, which test_shortcut_codec.py compares with a decomposition."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.components.patch_codec import PatchCodec
from hallo_lit.components.shortcut_codec import ShortcutCodec
from tiny_hallo import normal, uniform


@torch.no_grad()
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_with_as_many_components_as_values_nothing_is_lost(scale: float) -> None:
    codec, images = PatchCodec(2, 12, scale), uniform(1, 40, 3, 8, 12) * 2 - 1
    codec.fit(images)
    latents = codec.encode(images)
    assert latents.shape == (40, 12, 4, 6)
    assert latents.std() == pytest.approx(1.2 * scale, rel=0.05)
    torch.testing.assert_close(codec.decode(latents), images, rtol=0.0, atol=1e-4)


@torch.no_grad()
def test_chunks_and_leading_axes_change_nothing() -> None:
    codec, images = PatchCodec(4, 6), normal(2, 2, 5, 3, 8, 8)
    codec.fit(images.flatten(0, 1))
    latents = codec.encode(images)
    assert torch.equal(latents.flatten(0, 1), codec.encode(images.flatten(0, 1)))
    rows = latents.flatten(0, 1)
    torch.testing.assert_close(codec.decode(rows, 3), codec.decode(rows, 10))


@torch.no_grad()
def test_a_draw_hardly_leaves_the_mean() -> None:
    codec, images = PatchCodec(4, 6), normal(3, 4, 3, 8, 8)
    codec.fit(images)
    drawn = codec.encode(images, sample=True, generator=torch.Generator().manual_seed(0))
    assert 0 < (drawn - codec.encode(images)).std() < 0.03


@torch.no_grad()
def test_it_is_the_shortcut_codec_before_its_branches_have_learned() -> None:
    images = normal(4, 30, 3, 16, 16)
    plain, branched = PatchCodec(4, 6, whitening=0.65), ShortcutCodec((4, 8, 8), 6, groups=2)
    plain.fit(images)
    branched.fit(images)
    latents = plain.encode(images)
    torch.testing.assert_close(branched.encode(images), latents)
    torch.testing.assert_close(branched.decode(latents), plain.decode(latents))
