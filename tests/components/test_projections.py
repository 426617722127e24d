"""From embeddings to tokens."""

from __future__ import annotations

import torch

from hallo_lit.components.projections import AudioProjection, IdentityProjection
from tiny_hallo import CLOSE, normal, redraw


@torch.no_grad()
def test_an_unknown_person_is_a_projection_of_zeros_and_not_zeros() -> None:
    net = redraw(IdentityProjection(7, 12, tokens=3))
    unknown = net(torch.zeros(2, 7))
    assert unknown.shape == (2, 3, 12)
    assert unknown.abs().max() > 0.1
    wanted = net.norm(net.proj.bias.view(3, 12))
    torch.testing.assert_close(unknown[0], wanted, **CLOSE)
    assert (net(normal(1, 2, 7)) - unknown).abs().max() > 0.1


@torch.no_grad()
def test_identity_tokens_are_normed_one_by_one() -> None:
    net = IdentityProjection(7, 12, tokens=3)
    tokens = net(normal(1, 2, 7))
    torch.testing.assert_close(tokens.mean(-1), torch.zeros(2, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(tokens.std(-1, correction=0), torch.ones(2, 3), rtol=0, atol=1e-2)


@torch.no_grad()
def test_frames_and_clips_of_audio_do_not_mix() -> None:
    net = redraw(AudioProjection(window=5, layers=2, width=6, hidden=16, tokens=3, dim=10))
    features = normal(1, 2, 4, 5, 2, 6)
    tokens = net(features)
    assert tokens.shape == (2, 4, 3, 10)
    torch.testing.assert_close(net(features[1:, 2:3]), tokens[1:, 2:3], **CLOSE)


@torch.no_grad()
def test_every_number_of_the_window_is_heard() -> None:
    net = redraw(AudioProjection(window=5, layers=2, width=6, hidden=64, tokens=3, dim=10))
    features = normal(1, 1, 1, 5, 2, 6)
    before = net(features)
    for i in range(60):
        moved = features.flatten().clone()
        moved[i] += 3
        assert (net(moved.view_as(features)) - before).abs().max() > 1e-3, i


def test_defaults_are_the_releases_sizes() -> None:
    with torch.device("meta"):
        audio, identity = AudioProjection(), IdentityProjection()
    assert audio.proj1.weight.shape == (512, 5 * 12 * 768)
    assert audio.proj3.weight.shape == (32 * 768, 512)
    assert identity.proj.weight.shape == (4 * 768, 512)
