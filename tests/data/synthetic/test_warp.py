from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.geometry import half_outline, pose_depth
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.mouth import shape
from hallo_lit.data.synthetic.paint import Patch
from hallo_lit.data.synthetic.warp import Camera, Pose, carry, field

WHO = draw_identity(5)


def test_carry_inverts_the_field():
    controls = Controls(open=0.8, width=0.5, brow=0.7)
    mouth = shape(WHO, controls)
    rest = np.array([[WHO.CENTRE + x, y] for x in (-70, -20, 0, 45) for y in (210, 300, 375, 392)], float)
    moved = carry(WHO, rest, controls, mouth)
    dx, dy = field(WHO, moved[:, 0], moved[:, 1], controls, mouth)
    np.testing.assert_allclose(moved - np.stack([dx, dy], 1), rest, atol=0.05)


def test_an_opening_jaw_lengthens_the_face_and_does_not_pinch_it():
    controls = Controls(open=1.0)
    half = half_outline(WHO)
    below = half[half[:, 1] > WHO.mouth_y] + (WHO.CENTRE, 0)
    moved = carry(WHO, below, controls, shape(WHO, controls))
    assert moved[-1, 1] - below[-1, 1] > 15  # the chin
    assert (moved[:, 0] - below[:, 0] > -1.0).all()  # nothing moves inwards
    assert (moved[:, 1] - below[:, 1] >= 0).all()


def test_the_neutral_face_stays():
    rest = np.array([[200.0, 300.0], [256.0, 380.0]])
    np.testing.assert_allclose(carry(WHO, rest, Controls(), shape(WHO, Controls())), rest, atol=1e-4)


@pytest.mark.parametrize("turn", [{"yaw": 14.0}, {"pitch": -8.0}, {"roll": 10.0, "tx": 5.0, "scale": 1.1}])
def test_pose_inverse_undoes_forward(turn):
    patch = Patch.around((44, 4, 468, 592), 0.5)
    depth = pose_depth(WHO, patch)
    pose = Pose((WHO.CENTRE, WHO.chin), Controls(**turn))
    plane = np.array([[230.0, 250.0], [256.0, 345.0], [300.0, 300.0]])
    at = np.round(patch.pixels(plane)).astype(int)
    plane = np.stack([patch.x[0, at[:, 0]], patch.y[at[:, 1], 0]], 1).astype(float)
    shown = pose.forward(plane, depth[at[:, 1], at[:, 0]].astype(float))
    x, y = (shown[:, k].astype(np.float32)[None] for k in (0, 1))
    back = np.stack([v[0] for v in pose.inverse(x, y, depth, patch)], 1)
    np.testing.assert_allclose(back, plane, atol=0.35)


def test_camera_is_its_own_inverse():
    camera = Camera(256, 1.3, (250.0, 260.0))
    pixels = camera.pixels(np.array([[230.0, 270.0]]))
    x, y = camera.plane(pixels[:, 0], pixels[:, 1])
    assert (float(x[0]), float(y[0])) == pytest.approx((230, 270), abs=1e-3)
