"""Controls of lids, brows and gaze for a video."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hallo_lit.animation.liveliness import draw_expressions
from hallo_lit.components.expression_net import ExpressionNet
from hallo_lit.errors import UserError

NET = ExpressionNet(("blink", "gaze_x", "brow"), width=16)
SOUND = torch.from_numpy(np.random.RandomState(0).standard_normal(300 * 640)).float()


def test_a_seed_gives_one_face_however_the_sound_is_cut() -> None:
    whole = draw_expressions(NET, [SOUND], 300, 1, 1.0)
    pieces = draw_expressions(NET, SOUND.split(777), 300, 1, 1.0)
    other = draw_expressions(NET, [SOUND], 300, 2, 1.0)
    assert whole is not None
    assert pieces is not None
    assert other is not None
    assert whole.shape == (300, 3)
    torch.testing.assert_close(whole, pieces)
    assert not torch.allclose(whole, other)
    assert whole[:, 0].min() == 0
    assert whole[:, 0].max() > 0.85


def test_still_faces_and_models_without_one_are_told_nothing() -> None:
    assert draw_expressions(None, [SOUND], 300, 1, 1.0) is None
    assert draw_expressions(NET, [SOUND], 300, 1, 0.0) is None


def test_what_nobody_draws_is_said() -> None:
    with pytest.raises(UserError, match="told yaw"):
        draw_expressions(ExpressionNet(("blink", "yaw"), width=16), [SOUND], 300, 1, 1.0)
