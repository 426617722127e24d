from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.paint import Lighting, Patch, blend, noise, normals, smoothstep, to_linear, to_srgb


def test_patches_agree_on_where_things_are():
    patch = Patch.around((10, 20, 50, 60), 2.0)
    assert patch.shape == (80, 80)
    assert patch.x[0, 0] == 10.25
    np.testing.assert_allclose(patch.pixels((10.25, 20.25)), (0, 0))
    part, rows, columns = patch.cut((15, 25, 30, 40))
    assert part.shape == (30, 30)
    np.testing.assert_array_equal(part.x, patch.x[:, columns])
    np.testing.assert_array_equal(part.y, patch.y[rows])


@pytest.mark.parametrize("detail", [1.0, 2.0])
def test_a_polygon_covers_its_area(detail):
    patch = Patch.around((0, 0, 40, 40), detail)
    mask = patch.polygon([(5, 5), (25, 5), (25, 15), (5, 15)])
    assert mask.sum() / detail**2 == pytest.approx(200, rel=0.12)
    assert mask.max() == 1
    line = patch.stroke([(5, 30), (35, 30)], 0.5)
    assert 0 < line.max() <= (0.55 if detail == 1 else 1)


def test_light_comes_from_the_key():
    light = Lighting((0.5, -0.5, 0.7071))
    towards, away = np.zeros((1, 1, 3), np.float32), np.zeros((1, 1, 3), np.float32)
    towards[..., :], away[..., :] = light.key, (-0.9, 0.4, 0.2)
    assert (light.diffuse(towards) > 2 * light.diffuse(away)).all()
    assert light.specular(towards, 20)[0, 0] > light.specular(away, 20)[0, 0]


def test_normals_of_a_plane_are_constant():
    slope = np.arange(10, dtype=np.float32)[None] * np.ones((5, 1), np.float32)
    np.testing.assert_allclose(normals(slope, 1.0), np.array([-1, 0, 1]) / np.sqrt(2) * np.ones((5, 10, 1)), atol=1e-6)


def test_colours_and_blending():
    grey = np.array([[[40.0, 120.0, 190.0]]])
    np.testing.assert_allclose(to_srgb(to_linear(grey)), grey, rtol=1e-4)
    assert to_srgb(np.array([5.0])) <= 255
    picture = np.zeros((1, 2, 3), np.float32)
    blend(picture, np.array([[0.25, 0.0]], np.float32), (200, 100, 0))
    np.testing.assert_allclose(picture[0], [[50, 25, 0], [0, 0, 0]])


def test_small_helpers():
    assert smoothstep(0, 2, 1) == 0.5
    a = noise(np.random.default_rng(1), (20, 30), [(4, 4)], [2.0])
    np.testing.assert_array_equal(a, noise(np.random.default_rng(1), (20, 30), [(4, 4)], [2.0]))
    assert a.shape == (20, 30)
