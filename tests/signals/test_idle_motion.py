from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.signals.idle_motion import blinks, drift, expressions, levels, stress

FPS, RATE = 25.0, 16000


def test_people_blink_every_few_seconds():
    lids = blinks(np.random.default_rng(0), 25 * 60, FPS)
    shut = lids > 0.6
    count = int((np.diff(shut.astype(int)) == 1).sum())
    assert 8 <= count <= 40
    assert shut.mean() < 0.15
    assert lids.min() == 0


def test_drift_has_unit_variance():
    assert abs(drift(np.random.default_rng(0), 20000, 0.4, FPS).std() - 1) < 0.1


def test_stress_follows_loudness():
    samples = np.full(100 * 640, 0.01, np.float32)
    samples[40 * 640 : 46 * 640] = 0.5
    loud = stress(levels([samples], RATE, 100, FPS))
    assert 40 <= loud.argmax() < 46
    assert loud[:20].max() < 0.05


@pytest.mark.parametrize("cut", [1, 333, 640, 6400, 100000])
def test_levels_do_not_depend_on_how_the_sound_is_cut(cut: int):
    wave = np.random.default_rng(0).standard_normal(20 * 640 + 100).astype(np.float32)[: 3000 if cut == 1 else None]
    found = levels((wave[at : at + cut] for at in range(0, len(wave), cut)), RATE, 30, FPS)
    for frame in (0, 2, 3):
        assert found[frame] == pytest.approx(np.sqrt(np.square(wave[640 * frame : 640 * (frame + 1)]).mean()))
    ends = -(-len(wave) // 640)
    assert found[ends - 1] == pytest.approx(np.sqrt(np.square(wave[640 * (ends - 1) :]).mean()))  # of what there is
    assert (found[ends:] == 0).all()


def test_sound_beyond_the_last_frame_is_not_waited_for():
    def endless():
        while True:
            yield np.ones(1000, np.float32)

    np.testing.assert_allclose(levels(endless(), RATE, 10, FPS), 1)


def test_silence_lifts_no_brow():
    assert (stress(np.zeros(50)) == 0).all()


def test_expressions_scale_and_blinks_do_not():
    loud = np.random.default_rng(1).uniform(0, 1, 500)
    still, calm, usual = (expressions(np.random.default_rng(2), loud, FPS, much) for much in (0.0, 0.5, 1.0))
    assert all((curve == 0).all() for curve in still.values())
    np.testing.assert_array_equal(calm["blink"], usual["blink"])
    assert usual["blink"].max() > 0.85
    for name in ("gaze_x", "gaze_y"):
        np.testing.assert_allclose(calm[name] * 2, usual[name])
        assert usual[name].std() > 0.05
    assert usual["brow"].std() > calm["brow"].std() > 0
    assert np.corrcoef(usual["brow"], loud)[0, 1] > 0.3
