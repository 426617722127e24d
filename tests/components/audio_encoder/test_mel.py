"""Log-mel columns: when, which band, how loud; streams against whole files."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

from hallo_lit.components.audio_encoder.base import AudioEncoder, frame_times
from hallo_lit.components.audio_encoder.mel import BLOCK, LogMel
from hallo_lit.errors import UserError

RATE = 16_000


def noise(seconds: float, seed: int = 0) -> Tensor:
    return torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(seed)) * 0.1


def test_a_column_is_the_spectrum_around_its_own_ten_milliseconds() -> None:
    wave = noise(1.0)
    features = LogMel()(wave, 25)
    standard = (wave.double().numpy() - wave.double().mean().item()) / math.sqrt(
        wave.double().var(unbiased=False).item() + 1e-6
    )
    bank = melscale_fbanks(257, 50.0, 7600.0, 32, RATE).numpy()
    hann = np.zeros(512)
    hann[56:456] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    for frame, column in ((3, 0), (3, 3), (20, 1)):
        centre = 640 * frame + 160 * column + 80
        power = np.abs(np.fft.rfft(standard[centre - 256 : centre + 256] * hann)) ** 2
        expected = (np.log(power @ bank + 0.1) - 2.0) / 3.3
        assert np.abs(features[frame, column].numpy() - expected).max() < 1e-4


def test_a_click_is_heard_in_the_frame_that_shows_it() -> None:
    times = frame_times(25)
    for frame in (0, 7, 24):
        wave = torch.zeros(RATE)
        wave[round(float(times[frame]) * RATE) + 320] = 1.0
        loudest = LogMel()(wave, 25).mean((1, 2)).argmax()
        assert loudest == frame


def test_a_tone_sounds_in_its_band_and_silence_in_none() -> None:
    t = torch.arange(RATE) / RATE
    bank = melscale_fbanks(257, 50.0, 7600.0, 32, RATE)
    for pitch in (250.0, 1000.0, 4000.0):
        wave = torch.cat([0.3 * torch.sin(2 * math.pi * pitch * t), torch.zeros(RATE)])
        features = LogMel()(wave, 50)
        assert features[10, 2].argmax() == bank[round(pitch / RATE * 512)].argmax()
        assert torch.allclose(features[40], torch.tensor((math.log(0.1) - 2.0) / 3.3), atol=1e-3)


@pytest.mark.parametrize("size", [1000, 777, 10**7])
@pytest.mark.parametrize("frames", [1, 25, BLOCK, 2 * BLOCK + 3, 600])
def test_a_stream_gives_the_same_bits(size: int, frames: int) -> None:
    wave, encoder = noise(21.3), LogMel()
    blocks = list(encoder.stream(lambda: wave.split(size), frames))
    assert max(len(block) for block in blocks) <= BLOCK
    assert torch.equal(torch.cat(blocks), encoder(wave, frames))


def test_frames_beyond_the_sound_are_silent_and_fewer_are_the_first() -> None:
    wave, encoder = noise(2.0), LogMel()
    longer, shorter = encoder(wave, 70), encoder(wave, 30)
    assert torch.equal(longer[:49], encoder(wave, 50)[:49])
    assert torch.equal(shorter, longer[:30])
    assert longer[51:].max() == longer[51:].min() < longer[:50].min()


def test_level_and_offset_do_not_matter() -> None:
    wave, encoder = noise(2.0), LogMel()
    assert (encoder(wave, 50) - encoder(wave * 0.2 + 0.4, 50)).abs().max() < 1e-2
    assert (encoder(wave, 50) - encoder(wave * 1e-5, 50)).mean() > 0.3  # below -60 dBFS it fades into silence


@pytest.mark.parametrize(("layers", "width", "fps"), [(4, 32, 25), (1, 80, 25), (2, 16, 50), (5, 8, 20)])
def test_shape_follows_the_configuration(layers: int, width: int, fps: int) -> None:
    encoder: AudioEncoder = LogMel(layers, width, fps)
    features = encoder(noise(1.0), fps)
    assert features.shape == (fps, layers, width)
    assert features.dtype == torch.float32
    assert torch.isfinite(features).all()


def test_what_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(UserError, match="30 frames of 4 columns"):
        LogMel(fps=30)
    with pytest.raises(UserError, match="high is 9000"):
        LogMel(high=9000.0)
    with pytest.raises(UserError, match="empty"):
        LogMel()(torch.zeros(0), 1)
    with pytest.raises(UserError, match="not numbers"):
        LogMel()(torch.full((1000,), float("nan")), 1)
