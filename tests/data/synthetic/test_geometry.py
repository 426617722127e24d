from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.geometry import MAX_GAP, half_outline, lids, lips, outline, pose_depth, radius
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.paint import Patch

PEOPLE = [draw_identity(seed) for seed in range(12)]


@pytest.mark.parametrize("open_", [0.0, 0.2, 0.55, 1.0])
@pytest.mark.parametrize("round_", [0.0, 1.0])
def test_lip_gap_is_the_control(open_, round_):
    for who in PEOPLE:
        mouth = lips(who, open_, 0.2, round_, 0.0, 0.0)
        gap = mouth.inner_lower - mouth.inner_upper
        assert gap[30] == pytest.approx(open_ * MAX_GAP * (1 - 0.12 * round_), abs=1e-6)
        assert gap.argmax() == 30 or open_ == 0
        assert mouth.gap == pytest.approx(gap[30], abs=1e-6)


def test_lip_borders_never_cross():
    for who in PEOPLE:
        for values in ((1, 1, 0, 0, 0), (0, -1, 1, 0, 0), (0, 0, 0, 1, 0), (0.07, 0.1, 0, 0, 1), (0.5, 0, 0.9, 0, 0)):
            mouth = lips(who, *map(float, values))
            assert (mouth.outer_upper < mouth.inner_upper).all()
            assert (mouth.inner_upper <= mouth.inner_lower + 1e-9).all()
            assert (mouth.inner_lower < mouth.outer_lower).all()


def test_width_and_rounding_change_the_mouth_width():
    who = PEOPLE[0]
    halves = [lips(who, 0.2, width, round_, 0, 0).half for width, round_ in ((0, 0), (1, 0), (0, 1))]
    assert halves[1] > 1.15 * halves[0]
    assert halves[2] < 0.7 * halves[0]
    assert halves[0] == pytest.approx(who.mouth_half)


def test_pressing_thins_the_lips():
    who = PEOPLE[0]
    rest, pressed = lips(who, 0, 0, 0, 0, 0), lips(who, 0, 0, 0, 1, 0)
    assert np.ptp([pressed.outer_upper.min(), pressed.outer_lower.max()]) < 0.75 * np.ptp(
        [rest.outer_upper.min(), rest.outer_lower.max()]
    )


def test_eyes_are_mirror_images_and_shut():
    for who in PEOPLE:
        left, right = lids(who, -1, 0.0), lids(who, 1, 0.0)
        np.testing.assert_allclose(left.x + right.x[::-1], 2 * who.CENTRE)
        np.testing.assert_allclose(left.upper, right.upper[::-1])
        opening = (right.lower - right.upper).max()
        assert 9 < opening < 22
        shut = lids(who, 1, 1.0)
        assert np.abs(shut.lower - shut.upper).max() < 0.05 * opening


def test_half_shut_lids_are_no_bar():
    for who in PEOPLE:
        for blink in (0.4, 0.5, 0.6):
            eye = lids(who, 1, blink)
            middle = np.interp(0.5 * (eye.x[0] + eye.x[-1]), eye.x, eye.upper)
            assert 0.5 * (eye.upper[0] + eye.upper[-1]) - middle > 2  # arched over the eyeball
            assert (eye.upper <= eye.lower + 1e-9).all()


def test_outline_is_a_closed_curve_widest_above_the_mouth():
    for who in PEOPLE:
        half = half_outline(who)
        assert (np.diff(half[:, 1]) > -0.01).all()
        assert half[0, 0] == pytest.approx(0, abs=1e-6)
        assert half[-1] == pytest.approx((0, who.chin))
        assert abs(np.interp(who.mouth_y, half[:, 1], half[:, 0])) < half[:, 0].max()
        assert len(outline(who)) == 2 * len(half) - 2


def test_depth_does_not_fold_when_the_head_turns():
    who = PEOPLE[1]
    patch = Patch.around((44, 4, 468, 592), 0.5)
    depth = pose_depth(who, patch)
    face = radius(who, patch) < 0.9
    slope = np.abs(np.gradient(depth, 2.0, axis=1))[face]
    assert slope.max() * np.tan(np.deg2rad(15)) < 1
