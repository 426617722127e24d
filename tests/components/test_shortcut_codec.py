"""The linear codec against principal components done by SVD, and the branches around it."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.components.shortcut_codec import ShortcutCodec
from hallo_lit.components.vae import LatentCodec
from tiny_hallo import CLOSE, normal, redraw, uniform


def made(latent_channels: int = 6) -> ShortcutCodec:
    torch.manual_seed(0)
    return ShortcutCodec((4, 8, 8), latent_channels, groups=2).eval()


def pictures(count: int = 24, seed: int = 1) -> torch.Tensor:
    """Smooth pictures that few components describe."""
    coarse = normal(seed, count, 3, 4, 6)
    return torch.nn.functional.interpolate(coarse, (16, 24), mode="bicubic").clamp(-1, 1)


@torch.no_grad()
def test_reconstruction_is_that_of_the_best_linear_code() -> None:
    codec, images = made(), pictures()
    codec.fit(images)
    back = codec.decode(codec.encode(images))
    patches = images.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).reshape(-1, 48)
    centre = patches.unflatten(1, (3, 16)).mean((0, 2)).repeat_interleave(16)
    left = torch.linalg.svdvals(patches - centre)[6:].square().sum()  # what six components cannot tell
    assert (back - images).square().sum() == pytest.approx(float(left), rel=1e-3)


@torch.no_grad()
def test_latents_have_the_promised_spread_and_falling_channels() -> None:
    codec, images = made(), pictures()
    codec.fit(images)
    latents = codec.encode(images)
    assert latents.shape == (24, 6, 4, 6)
    assert latents.std() == pytest.approx(1.2, abs=0.05)
    spread = latents.var((0, 2, 3))
    assert (spread.diff() < 0.05).all()


@torch.no_grad()
def test_importance_buys_quality_where_it_weighs() -> None:
    images = pictures(40)
    images[:, :, 8:, 8:16] = normal(9, 40, 3, 8, 8) * 0.5  # a busy place
    weight = torch.ones(40, 1, 4, 6)
    weight[:, :, 2:, 2:4] = 100

    def error(importance: torch.Tensor | None) -> torch.Tensor:
        codec = made()
        codec.fit(images, importance)
        wrong = (codec.decode(codec.encode(images)) - images).square()
        return wrong[:, :, 8:, 8:16].mean()

    assert error(weight) < 0.9 * error(None)


@torch.no_grad()
def test_a_new_codec_is_linear_and_its_posterior_is_narrow() -> None:
    codec, images = made(), pictures(3)
    codec.fit(images)
    mean, deviation = codec.moments(images[None])
    assert mean.shape == (1, 3, 6, 4, 6)
    torch.testing.assert_close(mean, codec.linear(images[None]), **CLOSE)
    assert deviation.max() < 0.03
    latents = normal(2, 3, 6, 4, 6)
    torch.testing.assert_close(codec.decode(latents, chunk=2), codec.synthesis(latents), **CLOSE)


@torch.no_grad()
def test_the_branches_join_when_they_have_learned() -> None:
    codec, images = redraw(made()), uniform(3, 2, 3, 16, 24)
    assert (codec.encode(images) - codec.linear(images)).abs().max() > 0.01
    torch.testing.assert_close(
        codec.encode(images) - codec.linear(images), LatentCodec.moments(codec, images)[0], **CLOSE
    )
    latents = normal(2, 2, 6, 4, 6)
    assert (codec.decode(latents) - codec.synthesis(latents)).abs().max() > 0.01


def test_every_part_learns_from_a_reconstruction() -> None:
    codec, images = made(), pictures(4)
    codec.fit(images)
    for _ in range(2):  # the last layers start at zero, so what lies before them waits for the first step
        optimizer = torch.optim.SGD(codec.parameters(), 0.1)
        optimizer.zero_grad()
        mean, deviation = codec.moments(images)
        (codec.decode(mean + deviation * normal(5, *mean.shape)) - images).square().mean().backward()
        optimizer.step()
    assert [name for name, p in codec.named_parameters() if p.grad is None or not p.grad.any()] == []
