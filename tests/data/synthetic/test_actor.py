from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.actor import Actor
from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.landmarks import EXACT, INNER_LOWER, INNER_UPPER

LONG_HAIR, BEARD = 6, 21


@pytest.fixture(scope="module")
def actor() -> Actor:
    return Actor(draw_identity(LONG_HAIR), 192, zoom=1.3)


def test_equal_controls_give_equal_bytes(actor):
    controls = Controls(open=0.4, yaw=7, blink=0.5)
    first = actor.render(controls)
    actor.render(Controls(open=1, yaw=-9))
    again = Actor(draw_identity(LONG_HAIR), 192, zoom=1.3).render(controls)
    assert first.shape == (192, 192, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, actor.render(controls))
    np.testing.assert_array_equal(first, again)


def test_opening_darkens_the_mouth_where_the_landmarks_say(actor):
    shut, wide = Controls(), Controls(open=0.9)
    points = actor.landmarks(wide)
    x, y = points[list(INNER_UPPER) + list(INNER_LOWER), :2].mean(0).astype(int)
    assert actor.render(wide)[y, x].sum() < actor.render(shut)[y, x].sum()
    ring = points[[13, 14], 1]
    assert ring[0] < y < ring[1]


def test_a_speaking_mouth_leaves_the_rest_alone(actor):
    rest, spoken = actor.render(Controls()), actor.render(Controls(open=0.5, width=0.5))
    changed = np.abs(rest.astype(int) - spoken).max(2) > 2
    rows = np.nonzero(changed.any(1))[0]
    assert rows.min() > actor.landmarks(Controls())[168, 1]  # nothing above the bridge of the nose
    assert changed.any()


@pytest.mark.parametrize("yaw", [-20.0, 20.0])
def test_no_wall_shows_beside_the_face_of_a_turning_long_haired_head(actor, yaw):
    controls = Controls(yaw=yaw)
    picture = actor.render(controls).astype(float)
    points = actor.landmarks(controls)
    row = int(points[[93, 323], 1].mean())  # the height of the cheeks
    wall = picture[4:12, 4:12].mean((0, 1))
    line = np.abs(picture[row] - wall).max(1) > 25  # hair or skin
    inside = np.nonzero(line)[0]
    assert line[inside[0] : inside[-1] + 1].mean() > 0.97


def test_landmarks_are_complete_and_inside(actor):
    points = actor.landmarks(Controls(yaw=5))
    assert points.shape == (478, 3)
    assert np.isfinite(points).all()
    assert (points[:, :2] > 0).all()
    assert (points[:, :2] < 192).all()
    assert len(EXACT) > 100


def test_lip_landmarks_measure_the_control():
    who = draw_identity(BEARD)
    actor = Actor(who, 256)
    for value in (0.0, 0.3, 1.0):
        points = actor.landmarks(Controls(open=value))
        gap = np.linalg.norm(points[13, :2] - points[14, :2])
        assert gap / np.linalg.norm(points[33, :2] - points[263, :2]) == pytest.approx(
            value * 32 / who.eye_distance, abs=2e-3
        )


def test_turning_moves_the_nose_more_than_the_contour(actor):
    rest, turned = (actor.landmarks(Controls(yaw=yaw))[:, 0] for yaw in (0.0, 12.0))
    assert turned[4] - rest[4] > 5
    assert turned[4] - rest[4] > turned[152] - rest[152]


def test_mediapipe_finds_and_measures_the_faces():
    mp = pytest.importorskip("mediapipe")
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
    true, seen, apart = [], [], []
    for seed in (LONG_HAIR, BEARD, 30):
        actor = Actor(draw_identity(seed), 256, zoom=1.3)
        for k in range(5):
            controls = Controls(open=k / 4, width=0.3 * k - 0.6, yaw=5 * (k - 2), roll=3 * (2 - k))
            faces = mesh.process(actor.render(controls)).multi_face_landmarks
            assert faces
            points = np.array([(p.x * 256, p.y * 256) for p in faces[0].landmark])
            exact = actor.landmarks(controls)[:, :2]
            yard = np.linalg.norm(exact[33] - exact[263])
            true.append(np.linalg.norm(exact[13] - exact[14]) / yard)
            seen.append(np.linalg.norm(points[13] - points[14]) / yard)
            apart.append(np.linalg.norm(points - exact, axis=1).mean() / yard)
    assert np.corrcoef(true, seen)[0, 1] > 0.95
    assert np.mean(apart) < 0.06
