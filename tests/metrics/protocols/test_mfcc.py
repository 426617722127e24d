from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hallo_lit.metrics.protocols.mfcc import mfcc


def test_energy_of_a_constant_frame_is_known():
    wave = torch.zeros(400)
    wave[0] = 512.0
    found = mfcc(wave)
    # A unit pulse has the same power in all 257 bins: 512^2 / 512 each, and pre-emphasis adds a second pulse.
    power = np.abs(np.fft.rfft([512.0, -0.97 * 512], 512)) ** 2 / 512
    assert found.shape == (1, 13)
    assert float(found[0, 0]) == pytest.approx(math.log(power.sum()), rel=1e-12)


def test_digital_silence_is_finite():
    assert mfcc(torch.zeros(1000)).isfinite().all()
    assert float(mfcc(torch.zeros(1000))[0, 0]) == pytest.approx(math.log(np.finfo(np.float64).eps))
