"""MFCC exactly as python_speech_features computes them by default; torchaudio does not floor the triangles."""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

RATE = 16000
COLUMNS_PER_SECOND = 100
COEFFICIENTS = 13
_FRAME, _STEP, _FFT, _FILTERS, _LIFTER, _EMPHASIS = 400, 160, 512, 26, 22, 0.97


@cache
def filterbank() -> Tensor:
    """(26, 257) float64 triangles from 0 to 8000 Hz, their corners floored to FFT bins."""
    highest = 2595 * math.log10(1 + RATE / 2 / 700)
    mels = torch.linspace(0, highest, _FILTERS + 2, dtype=torch.float64)
    bins = torch.floor((_FFT + 1) * 700 * (10 ** (mels / 2595) - 1) / RATE)
    left, middle, right = bins[:-2, None], bins[1:-1, None], bins[2:, None]
    at = torch.arange(_FFT // 2 + 1, dtype=torch.float64)[None]
    rising = (at - left) / (middle - left)
    falling = (right - at) / (right - middle)
    zero = torch.zeros((), dtype=torch.float64)
    bank = torch.where((at >= left) & (at < middle), rising, zero)
    return torch.where((at >= middle) & (at < right), falling, bank)


@cache
def _cosines() -> Tensor:
    """(26, 13) orthonormal DCT-II, liftered."""
    n = torch.arange(_FILTERS, dtype=torch.float64)[:, None]
    k = torch.arange(COEFFICIENTS, dtype=torch.float64)[None]
    table = torch.cos(math.pi * k * (2 * n + 1) / (2 * _FILTERS)) * math.sqrt(2 / _FILTERS)
    table[:, 0] /= math.sqrt(2)
    return table * (1 + _LIFTER / 2 * torch.sin(math.pi * k / _LIFTER))


def mfcc(wave: Tensor) -> Tensor:
    """(samples,) 16 kHz -> (T, 13) float64, T = 1 + ceil((samples - 400) / 160), at least 1.

    SyncNet wants int16 amplitudes: a wave in [-1, 1] lowers column 0 (log energy) by 20.79.
    """
    wave = wave.to(torch.float64)
    wave = torch.cat([wave[:1], wave[1:] - _EMPHASIS * wave[:-1]])
    count = 1 + max(0, math.ceil((len(wave) - _FRAME) / _STEP))
    wave = F.pad(wave, (0, (count - 1) * _STEP + _FRAME - len(wave)))
    power = torch.fft.rfft(wave.unfold(0, _FRAME, _STEP), _FFT).abs().square() / _FFT
    energy = _no_zeros(power.sum(1)).log()
    bands = _no_zeros(power @ filterbank().to(wave.device).T).log()
    found = bands @ _cosines().to(wave.device)
    found[:, 0] = energy
    return found


def _no_zeros(values: Tensor) -> Tensor:
    return values.where(values != 0, torch.finfo(torch.float64).eps)
