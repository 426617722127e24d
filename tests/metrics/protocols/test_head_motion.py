from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.metrics.protocols.head_motion import RIGID, ratios, separate
from metrics.footage import curve, mesh, talking
from metrics.test_diversity import WAVE, turning


def test_separation_holds_the_head_still():
    motion = separate(turning(talking(curve(50)), "y", WAVE[:50]))
    assert np.ptp(motion.shape[:, list(RIGID)], axis=0).max() < 1e-9
    assert np.abs(np.abs(motion.angles[:, 0]) - np.abs(WAVE[:50])).max() < 1e-6


def test_ratios_do_not_change_with_size_and_place():
    points = talking(curve(5))
    assert ratios(3 * points + 100) == pytest.approx(ratios(points), abs=1e-12)
    assert ratios(mesh(1))[0, :2].max() < 0.2
