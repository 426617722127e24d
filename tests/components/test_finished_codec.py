from __future__ import annotations

import torch

from hallo_lit.components.finished_codec import FinishedCodec
from hallo_lit.components.patch_codec import PatchCodec
from tiny_hallo import normal, redraw


@torch.no_grad()
def test_it_starts_as_the_linear_codec_and_reads_like_it() -> None:
    images = normal(0, 12, 3, 16, 32).clamp(-1, 1)
    made, plain = FinishedCodec(8, 6, width=8, blocks=1, groups=4), PatchCodec(8, 6)
    for codec in (made, plain):
        codec.fit(images)
    latents = plain.encode(images)
    torch.testing.assert_close(made.encode(images), latents)
    torch.testing.assert_close(made.decode(latents), plain.decode(latents))
    redraw(made.finish)
    assert not torch.allclose(made.decode(latents), plain.decode(latents))
    torch.testing.assert_close(made.encode(images), latents)


@torch.no_grad()
def test_a_pixel_depends_on_the_patches_around_its_own() -> None:
    made = FinishedCodec(8, 6, width=8, blocks=1, groups=4)
    redraw(made.finish)
    latents = normal(1, 1, 6, 4, 4)
    other = latents.clone()
    other[..., 1, 1] += 1
    changed = (made.decode(latents) - made.decode(other)).abs().amax((0, 1))
    assert changed[8:16, 16:20].max() > 1e-4
