"""The latent codec."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.components.vae import LatentCodec
from tiny_hallo import CLOSE, Calls, normal, redraw, uniform


@pytest.fixture(scope="module")
def codec() -> LatentCodec:
    return redraw(LatentCodec((4, 8, 8), latent_channels=3 + 2, layers=1, groups=2, scale=0.3)).eval()


def images(*lead: int) -> torch.Tensor:
    return uniform(1, *lead, 3, 16, 24) * 2 - 1


@torch.no_grad()
def test_latents_are_scaled_moments_of_the_posterior(codec: LatentCodec) -> None:
    mean, std = codec.moments(images(2))
    posterior = codec.vae.encode(images(2)).latent_dist
    torch.testing.assert_close(mean, posterior.mean * 0.3, **CLOSE)
    torch.testing.assert_close(std, posterior.std * 0.3, **CLOSE)
    assert torch.equal(codec.encode(images(2)), mean)


@torch.no_grad()
def test_height_width_and_leading_axes_survive(codec: LatentCodec) -> None:
    latents = codec.encode(images(2, 3))
    assert codec.factor == 4
    assert latents.shape == (2, 3, 5, 4, 6)
    torch.testing.assert_close(latents[1, 2], codec.encode(images(2, 3)[1, 2][None])[0], **CLOSE)
    assert codec.decode(latents[0]).shape == (3, 3, 16, 24)


@torch.no_grad()
def test_draws_come_from_the_generator_and_have_the_posteriors_spread(codec: LatentCodec) -> None:
    picture = images(1).expand(400, -1, -1, -1)
    mean, std = codec.moments(picture)
    drawn = codec.encode(picture, sample=True, generator=torch.Generator().manual_seed(1))
    assert torch.equal(drawn, codec.encode(picture, sample=True, generator=torch.Generator().manual_seed(1)))
    assert not torch.equal(drawn, codec.encode(picture, sample=True, generator=torch.Generator().manual_seed(2)))
    standard = (drawn - mean) / std
    assert standard.mean(0).abs().max() < 0.25
    assert (standard.std(0) - 1).abs().max() < 0.2


@torch.no_grad()
def test_decoding_undoes_the_scale_and_does_not_clamp(codec: LatentCodec) -> None:
    latents = normal(2, 2, 5, 4, 6)
    pixels = codec.decode(latents)
    torch.testing.assert_close(pixels, codec.vae.decode(latents / 0.3).sample, **CLOSE)
    assert pixels.abs().max() > 1


@torch.no_grad()
@pytest.mark.parametrize(("chunk", "rows"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (8, [5])])
def test_chunks_bound_the_decoder_and_change_nothing(codec: LatentCodec, chunk: int, rows: list[int]) -> None:
    latents = normal(2, 5, 5, 4, 6)
    calls = Calls(codec.vae.decoder)
    torch.testing.assert_close(codec.decode(latents, chunk), codec.decode(latents, 100), **CLOSE)
    assert calls.rows == [*rows, 5]


def test_the_defaults_are_stable_diffusions() -> None:
    with torch.device("meta"):
        codec = LatentCodec()
    assert (codec.factor, codec.latent_channels, codec.scale) == (8, 4, 0.18215)
    assert sum(p.numel() for p in codec.parameters()) == 83_653_863  # sd-vae-ft-mse
