from __future__ import annotations

from dataclasses import replace

import numpy as np

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.eyes import draw_eye
from hallo_lit.data.synthetic.geometry import lids
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.paint import Lighting, Patch
from hallo_lit.data.synthetic.skin import lid_box

WHITE = (240.0, 240.0, 240.0)


def test_lashes_are_darker_than_the_skin_whatever_the_hair():
    who = replace(draw_identity(24), hair=WHITE)
    patch = Patch.around(lid_box(who, 1), 2.0)
    picture = np.zeros((*patch.shape, 3), np.float32) + np.asarray(who.skin, np.float32)
    draw_eye(who, patch, picture, 1, Controls(blink=1.0), Lighting(who.key), np.ones_like(picture))
    eye = lids(who, 1, 1.0)
    line = np.stack([eye.x, eye.upper], 1)[20:-6]
    columns, rows = np.round(patch.pixels(line)).astype(int).T
    assert picture[rows, columns].mean() < 0.6 * np.mean(who.skin)
