from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hallo_lit.data.synthetic.hair import cast_shadow, paint_back_hair, paint_hair
from hallo_lit.data.synthetic.identity import FEMALE_STYLES, MALE_STYLES, draw_identity
from hallo_lit.data.synthetic.paint import Lighting, Patch
from hallo_lit.data.synthetic.strands import LONG, strands_of

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
