from __future__ import annotations

import numpy as np

from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.rest_face import from_shared, rest_table, to_shared


def test_shared_coordinates_are_invertible():
    who = draw_identity(1)
    points = np.array([[200.0, 100.0], [256.0, 340.0], [300.0, 420.0]])
    np.testing.assert_allclose(from_shared(who, to_shared(who, points)), points)
    np.testing.assert_allclose(to_shared(who, np.array([who.CENTRE + who.half_width, who.mouth_y])), (1, 4))


def test_the_table_is_a_symmetric_face():
    table = rest_table()
    assert table.shape == (478, 2)
    np.testing.assert_allclose(table[33] * (-1, 1), table[263], atol=1e-6)
    assert np.abs(table[:, 0]).max() < 1.1
    assert 0 < table[:, 1].min() < table[:, 1].max() < 5.2
