from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hallo_lit.data.synthetic.hair import cast_shadow, paint_back_hair, paint_hair
from hallo_lit.data.synthetic.identity import FEMALE_STYLES, MALE_STYLES, draw_identity
from hallo_lit.data.synthetic.paint import Lighting, Patch
from hallo_lit.data.synthetic.strands import LONG, cropped, curls, curtain, hairline, strands_of

WHO = draw_identity(5)
PATCH = Patch.around((44, 4, 468, 592), 0.5)
LIGHT = Lighting(WHO.key)


@pytest.mark.parametrize("style", sorted({*FEMALE_STYLES, *MALE_STYLES}))
def test_hair_covers_the_skull_but_not_the_face(style):
    who = replace(WHO, style=style)
    layer = paint_hair(who, PATCH, LIGHT)
    assert layer.alpha.min() >= 0
    assert layer.alpha.max() <= 1
    row = int(PATCH.pixels((0, who.eye_y + 10))[1])
    column = int(PATCH.pixels((who.CENTRE, 0))[0])
    assert layer.alpha[row:, column - 15 : column + 15].max() == 0  # eyes, nose and mouth are free
    crown = int(PATCH.pixels((0, who.top + 8))[1])
    assert (layer.alpha[crown, column] > 0.5) == (style != "bald")


def test_long_hair_has_a_back_that_fills_what_the_front_leaves():
    for style in (*LONG, "crop"):
        who = replace(WHO, style=style)
        back = paint_back_hair(who, PATCH, LIGHT)
        assert (back is not None) == (style in LONG)
        if back is not None:
            row = int(PATCH.pixels((0, who.chin - 20))[1])
            front = paint_hair(who, PATCH, LIGHT).alpha[row]
            both = np.nonzero(np.maximum(front, back.alpha[row]) > 0.5)[0]
            assert len(both) == both[-1] - both[0] + 1  # from side to side without a gap


def test_strands_are_the_same_for_the_same_person():
    first, again = (strands_of(WHO, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first[0].paths, again[0].paths)
    assert all((s.tint > 0).all() for s in first)


def test_hair_shades_the_forehead():
    layer = paint_hair(replace(WHO, style="fringe"), PATCH, LIGHT)
    shadow = cast_shadow(layer, PATCH, LIGHT)
    row, column = (int(v) for v in PATCH.pixels((WHO.CENTRE, WHO.brow_y + 2))[::-1])
    assert shadow[row, column] > 0.1
    assert shadow[int(PATCH.pixels((0, WHO.mouth_y))[1]), column] == 0


def test_both_sides_of_a_parting_have_the_same_locks():
    """Else brightness jumps at the parting."""
    tints = []
    for seed in range(6):
        hair = curtain(replace(WHO, style="long"), np.random.default_rng(seed), 2600, 500.0, 0.8)
        left = hair.paths[:, -1, 0] < 0  # drawn from back to front: the order along the parting
        sides = [np.array([part.mean() for part in np.array_split(hair.tint[side], 17)]) for side in (left, ~left)]
        tints.append(np.corrcoef(*sides)[0, 1])
    assert np.mean(tints) > 0.5


def test_back_hair_does_not_stick_out_at_the_temples():
    who = replace(WHO, style="long")
    back, front = paint_back_hair(who, PATCH, LIGHT), paint_hair(who, PATCH, LIGHT)
    assert back is not None
    for y in (who.eye_y - 30, who.eye_y):
        row = int(PATCH.pixels((0, y))[1])
        inner, outer = (np.ptp(np.nonzero(layer.alpha[row] > 0.5)[0]) for layer in (back, front))
        assert outer - inner > 12  # half units: turning the head moves layers against each other


def test_a_receding_buzz_cut_stays_one_piece():
    who = replace(draw_identity(54), style="buzz", age=78.0)
    alpha = paint_hair(who, PATCH, LIGHT).alpha
    for share in (0.5, 0.6, 0.7, 0.8):
        column = int(PATCH.pixels((who.CENTRE + share * who.half_width, 0))[0])
        assert (alpha[:, column] > 0.3).sum() > 6


def test_swept_hair_stays_on_the_head():
    for seed in range(4):
        hair = cropped(WHO, np.random.default_rng(seed), 3000, 34.0, 0.8)
        assert hair.paths[..., 0].max() < WHO.half_width + 22


def test_a_mans_curls_thin_out_towards_the_ears():
    who = replace(WHO, style="curly", female=False)
    y = curls(who, np.random.default_rng(1), 4200).paths.mean(1)[:, 1]
    counts = [((y > who.eye_y + k) & (y <= who.eye_y + k + 5)).sum() for k in (-15, -5, 5)]
    assert counts[0] > counts[1] > counts[2]


def test_a_womans_hairline_is_round():
    drop = hairline(replace(WHO, female=True), np.array([0.0, 0.35, 0.62]) * WHO.half_width)
    assert drop[0] < drop[1] < drop[2] - 5


def test_curls_show_no_skin_between_them():
    for seed in (7, 24):
        who = replace(draw_identity(seed), style="curly")
        alpha = paint_hair(who, PATCH, LIGHT).alpha
        line = who.hairline - 18
        rows = slice(*(int(PATCH.pixels((0, y))[1]) for y in (who.top + 6, line)))
        columns = slice(*(int(PATCH.pixels((who.CENTRE + x, 0))[0]) for x in (-45, 45)))
        assert (alpha[rows, columns] < 0.5).sum() == 0
