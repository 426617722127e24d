"""Whole-recording statistics against direct computation."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from hallo_lit.components.audio_encoder import loudness
from hallo_lit.components.audio_encoder.loudness import Loudness, patch_moments
from hallo_lit.errors import UserError

WAVE = torch.randn(5003, generator=torch.Generator().manual_seed(1)) * 0.1 + 0.3


@pytest.fixture(params=[7, 1000, 100_000])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(loudness, "BLOCK", request.param)
    return request.param


def test_mean_and_variance(block: int) -> None:
    found = Loudness.of(WAVE.split(77))
    assert found.samples == 5003
    assert found.mean == pytest.approx(WAVE.double().mean().item(), rel=1e-12)
    assert found.variance == pytest.approx(WAVE.double().var(unbiased=False).item(), rel=1e-9)
    standard = found.standardise(WAVE)
    assert torch.equal(torch.cat(list(found.standardised(WAVE.split(77)))), standard)
    assert abs(standard.mean()) < 1e-5
    assert standard.std(unbiased=False).item() == pytest.approx(1.0, abs=1e-4)


def test_the_cut_does_not_matter() -> None:
    assert Loudness.of([WAVE]) == Loudness.of(WAVE.split(1)) == Loudness.of(WAVE.split(999))


def test_silence_stays_silent() -> None:
    assert not Loudness.of([torch.zeros(100)]).standardise(torch.zeros(100)).any()
    assert Loudness.of([]).samples == 0


def test_another_recording_is_noticed() -> None:
    with pytest.raises(ValueError, match="had 5003 samples and now has 5002"):
        list(Loudness.of([WAVE]).standardised(WAVE[1:].split(100)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_samples_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(UserError, match="not numbers"):
        Loudness.of([WAVE, torch.tensor([value])])


@pytest.mark.parametrize("samples", [10, 14, 15, 5000, 5003])
def test_patch_moments_are_those_of_every_filter(block: int, samples: int) -> None:
    filters, wave = torch.randn(6, 1, 10).double(), WAVE[:samples]
    mean, covariance = patch_moments(wave.split(33), 10, 5)
    direct = F.conv1d(wave.double()[None, None], filters, stride=5)[0]
    w = filters[:, 0]
    assert torch.allclose(w @ mean, direct.mean(1), atol=1e-10)
    assert torch.allclose(torch.einsum("ck,kl,cl->c", w, covariance, w), direct.var(1, unbiased=False), atol=1e-10)
