from __future__ import annotations

import pytest

from hallo_lit.data.synthetic.facial_hair import beard_area
from hallo_lit.data.synthetic.geometry import outline
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.paint import Patch
from hallo_lit.data.synthetic.skin import ear_outline

PATCH = Patch.around((44, 4, 468, 592), 0.5)


@pytest.mark.parametrize("seed", [21, 36, 54])
def test_no_beard_grows_on_the_ears(seed):
    who = draw_identity(seed)
    area = beard_area(who, PATCH)
    beside = PATCH.polygon(outline(who)) < 0.01
    for side in (-1, 1):
        assert (area * PATCH.polygon(ear_outline(who, side)) * beside).max() < 0.1
    row, column = (int(v) for v in PATCH.pixels((who.CENTRE, who.chin - 10))[::-1])
    assert area[row, column] > 0.8
