from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.actor import Actor
from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.puppet import MAX_GAP, Puppet
from hallo_lit.errors import UserError


@pytest.fixture(scope="module")
def portrait():
    actor = Actor(draw_identity(12), 256, zoom=1.3)
    return actor.render(Controls()), actor.landmarks(Controls())


@pytest.fixture(scope="module")
def puppet(portrait):
    return Puppet(*portrait)


def test_at_rest_the_portrait_hardly_changes(portrait, puppet):
    assert np.abs(puppet.render(Controls()).astype(int) - portrait[0]).mean() < 2


def test_the_mouth_opens_by_the_control(puppet):
    for value in (0.2, 0.7):
        mesh = puppet.target(Controls(open=value))
        assert np.linalg.norm(mesh[13] - mesh[14]) / puppet.yard == pytest.approx(value * MAX_GAP, abs=0.01)
    widths = [np.ptp(puppet.target(Controls(width=w, round=r))[[61, 291], 0]) for w, r in ((1, 0), (0, 0), (0, 1))]
    assert widths[0] > widths[1] > widths[2]


def test_closed_eyes_show_skin(portrait, puppet):
    picture = puppet.render(Controls(blink=1.0))
    x, y = portrait[1][468, :2].astype(int)
    assert np.abs(picture[y - 1, x].astype(int) - portrait[0][y - 1, x]).max() > 25


def test_the_head_turns(puppet):
    rest, turned = puppet.target(Controls()), puppet.target(Controls(yaw=8))
    assert turned[4, 0] - rest[4, 0] > 3


def test_no_pixel_is_lost(puppet):
    picture = puppet.render(Controls(open=1.0, yaw=10, roll=5, pitch=4))
    assert picture.shape == (256, 256, 3)
    assert (picture.sum(2) == 0).mean() < 0.001


def test_nonsense_is_refused(portrait):
    with pytest.raises(UserError, match="landmarks"):
        Puppet(portrait[0], np.zeros((478, 3)))
    with pytest.raises(UserError, match="outside"):
        Puppet(portrait[0], portrait[1] + 5000)
