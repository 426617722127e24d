from __future__ import annotations

import numpy as np

from hallo_lit.data.synthetic.controls import CONTROLS, Controls, table
from hallo_lit.data.synthetic.formant import SAMPLE_RATE
from hallo_lit.data.synthetic.motion import blinks, drift, perform, stress
from hallo_lit.data.synthetic.phonemes import Phone

PHONES = [Phone(0.4, 0.6, "a"), Phone(0.6, 0.7, "m"), Phone(0.7, 0.9, "i:")]


def curves(seed: int, motion: float = 1.0, frames: int = 250) -> np.ndarray:
    noise = np.random.default_rng(9).standard_normal(frames * 640).astype(np.float32) * 0.1
    return perform(PHONES, noise, SAMPLE_RATE, frames, np.random.default_rng(seed), motion)


def test_shape_order_and_limits():
    t = curves(0)
    assert t.shape == (250, len(CONTROLS))
    rows = table(t)
    assert rows[3].yaw == t[3, CONTROLS.index("yaw")]
    c = Controls(*np.abs(t).max(0).tolist())
    assert c.yaw <= 15
    assert c.pitch <= 8
    assert c.roll <= 8
    assert c.blink <= 1
    assert abs(t[:, CONTROLS.index("scale")].mean() - 1) < 0.1


def test_no_motion_leaves_only_the_lips():
    t = curves(1, motion=0.0)
    still = [k for k, name in enumerate(CONTROLS) if name not in (*CONTROLS[:6], "scale")]
    assert np.abs(t[:, still]).max() == 0
    assert (t[:, CONTROLS.index("scale")] == 1).all()
    assert t[:, 0].max() > 0.3


def test_motion_does_not_change_the_lips():
    np.testing.assert_array_equal(curves(1, 0.0)[:, :6], curves(2, 1.5)[:, :6])


def test_heads_move_smoothly():
    t = curves(3)[:, [CONTROLS.index(n) for n in ("yaw", "pitch", "roll")]]
    assert np.abs(np.diff(t, axis=0)).max() < 2.0
    assert t.std(0).min() > 0.1


def test_people_blink_every_few_seconds():
    lids = blinks(np.random.default_rng(0), 25 * 60, 25.0)
    shut = lids > 0.6
    count = int((np.diff(shut.astype(int)) == 1).sum())
    assert 8 <= count <= 40
    assert shut.mean() < 0.15
    assert lids.min() == 0


def test_drift_has_unit_variance():
    assert abs(drift(np.random.default_rng(0), 20000, 0.4, 25.0).std() - 1) < 0.1


def test_stress_follows_loudness():
    samples = np.full(100 * 640, 0.01, np.float32)
    samples[40 * 640 : 46 * 640] = 0.5
    loud = stress(samples, SAMPLE_RATE, 100, 25.0)
    assert 40 <= loud.argmax() < 46
    assert loud[:20].max() < 0.05
