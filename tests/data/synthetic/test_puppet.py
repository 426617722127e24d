from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hallo_lit.data.synthetic.actor import Actor
from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.landmarks import OVAL
from hallo_lit.data.synthetic.puppet import MAX_GAP, Puppet
from hallo_lit.errors import UserError
from hallo_lit.media.image import read_image


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


def test_the_rim_of_a_turned_face_stays_with_the_background(portrait):
    """However far behind the face the landmarks say that it lies: else the outline tears."""
    image, points = portrait[0], portrait[1].astype(float)
    across = (points[:, 0] - points[:, 0].mean()) / (points[263, 0] - points[33, 0])
    points[:, 2] += 60 * across**2
    puppet = Puppet(image, points)
    sides = [k for k in OVAL if abs(puppet.local[k, 0]) > 0.6]
    for yaw in (-10, 10):
        moved = puppet.target(Controls(yaw=yaw))[sides] - puppet.target(Controls())[sides]
        assert np.abs(moved).max() < 0.03 * puppet.yard


def test_what_shows_its_back_is_not_drawn(puppet):
    mirrored = puppet._all * (-1, 1) + (255, 0)
    rows, columns = np.mgrid[0:256, 0:256]
    np.testing.assert_array_equal(puppet._maps(mirrored, 256, 256), np.stack([columns, rows], 2))


def test_shut_lids_hide_the_open_eye_and_its_lashes(portrait, puppet):
    """No dark rim where the open lid was: a column through the closed eye has its one dark line at the bottom."""
    picture, points = puppet.render(Controls(blink=1.0)).astype(float).mean(2), portrait[1]
    for upper, lower in ((159, 145), (386, 374)):
        x, top, bottom = int(points[upper, 0]), points[upper, 1], points[lower, 1]
        column = picture[:, x - 1 : x + 2].mean(1)
        skin = np.median(column[int(top - 0.12 * puppet.yard) : int(bottom)])
        assert column[int(top - 0.05 * puppet.yard) : int(bottom - 0.05 * puppet.yard)].min() > 0.85 * skin
        assert column[int(bottom - 2) : int(bottom + 4)].min() < 0.75 * skin


def test_no_pixel_is_lost(puppet):
    picture = puppet.render(Controls(open=1.0, yaw=10, roll=5, pitch=4))
    assert picture.shape == (256, 256, 3)
    assert (picture.sum(2) == 0).mean() < 0.001


@pytest.mark.parametrize("change", [lambda x: x[..., 0], lambda x: np.dstack([x, x[..., :1]]), lambda x: x / 255.0])
def test_a_picture_that_is_not_rgb_is_refused(portrait, change):
    with pytest.raises(UserError, match=r"\(height, width, 3\) uint8"):
        Puppet(change(portrait[0]), portrait[1])


def test_nonsense_is_refused(portrait):
    with pytest.raises(UserError, match=r"\(468, 3\)"):
        Puppet(portrait[0], portrait[1][:468])
    with pytest.raises(UserError, match="landmarks"):
        Puppet(portrait[0], np.zeros((478, 3)))
    with pytest.raises(UserError, match="outside"):
        Puppet(portrait[0], portrait[1] + 5000)


def test_what_the_documentation_says_works(tmp_path, monkeypatch):
    root = Path(__file__).parents[3]
    code = (root / "docs" / "synthetic.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(code.replace('"data/', f'"{root}/data/'), {})
    assert read_image("frame.png").shape == read_image(root / "data/samples/portrait.png").shape
