from __future__ import annotations

import numpy as np

from hallo_lit.data.synthetic.controls import CONTROLS, Controls, table
from hallo_lit.data.synthetic.formant import SAMPLE_RATE
from hallo_lit.data.synthetic.motion import perform
from hallo_lit.data.synthetic.phonemes import Phone

PHONES = [Phone(0.4, 0.6, "a"), Phone(0.6, 0.7, "m"), Phone(0.7, 0.9, "i:")]


def curves(seed: int, motion: float = 1.0, frames: int = 250, sway: float | None = None) -> np.ndarray:
    noise = np.random.default_rng(9).standard_normal(frames * 640).astype(np.float32) * 0.1
    return perform(PHONES, noise, SAMPLE_RATE, frames, np.random.default_rng(seed), motion, sway=sway)


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


def test_a_live_face_on_a_still_head():
    lively, still = curves(4), curves(4, sway=0.0)
    face = [CONTROLS.index(name) for name in ("blink", "brow")]
    head = [CONTROLS.index(name) for name in ("yaw", "pitch", "roll", "tx", "ty", "scale")]
    np.testing.assert_array_equal(lively[:, face], still[:, face])
    assert np.ptp(still[:, head], 0).max() == 0
    assert np.ptp(lively[:, head], 0).min() > 0
    assert np.abs(still[:, CONTROLS.index("yaw")]).max() > 0  # held somewhere
