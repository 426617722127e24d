"""Controls of lids, brows, gaze and head for a video."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hallo_lit.animation.liveliness import draw_liveliness
from hallo_lit.components.expression_net import ExpressionNet
from hallo_lit.components.head_net import CONTROLS, HeadNet
from hallo_lit.errors import UserError

FACE = ExpressionNet(("blink", "gaze_x", "brow"), width=16)
HEAD = HeadNet(width=16, blocks=1)
SOUND = torch.from_numpy(np.random.RandomState(0).standard_normal(300 * 640)).float()
USUAL: dict[str, Any] = {"expression_net": FACE, "head_net": HEAD, "frames": 300, "liveliness": 1.0, "sway": 1.0}


def drawn(sound: Any = (SOUND,), seed: int = 1, **other: Any) -> tuple[Tensor, Tensor]:
    made = draw_liveliness(**{**USUAL, "chunks": sound, "seed": seed, **other})
    assert made.expressions is not None
    assert made.poses is not None
    return made.expressions, made.poses


def test_a_seed_gives_one_motion_however_the_sound_is_cut() -> None:
    whole, pieces, other = drawn(), drawn(SOUND.split(777)), drawn(seed=2)
    assert [controls.shape for controls in whole] == [(300, 3), (300, len(CONTROLS))]
    for mine, same, another in zip(whole, pieces, other, strict=True):
        torch.testing.assert_close(mine, same)
        assert not torch.allclose(mine, another)
    assert whole[0][:, 0].min() == 0
    assert whole[0][:, 0].max() > 0.85


def test_any_seed_of_the_command_will_do() -> None:
    assert not torch.equal(drawn(seed=-1)[0], drawn(seed=1)[0])
    drawn(seed=2**64 - 1)


def test_heads_leave_the_portrait_smoothly_and_move_by_degrees() -> None:
    poses = drawn()[1]
    assert poses[0].abs().max() < 0.05
    assert (poses[1:] - poses[:-1]).abs().max() < 3
    spread = poses[25:].std(0)
    assert 1 < spread[CONTROLS.index("yaw")] < 8
    assert spread[CONTROLS.index("scale")] < 0.03
    torch.testing.assert_close(drawn(sway=0.001)[1], 0.001 * poses, rtol=0.1, atol=1e-3)


def test_eyes_stay_where_they_look_while_the_head_turns() -> None:
    turned = drawn()
    still = draw_liveliness(**{**USUAL, "sway": 0.0}, chunks=[SOUND], seed=1)
    assert still.poses is None
    assert still.expressions is not None
    torch.testing.assert_close(turned[0][:, [0, 2]], still.expressions[:, [0, 2]])
    change = turned[0][:, 1] - still.expressions[:, 1]
    torch.testing.assert_close(change, -0.022 * turned[1][:, CONTROLS.index("yaw")], atol=1e-5, rtol=1e-5)


def test_what_keeps_still_is_told_nothing() -> None:
    nothing = draw_liveliness(None, None, [SOUND], 300, 1, 1.0, 1.0)
    assert nothing.expressions is None
    assert nothing.poses is None
    frozen = draw_liveliness(FACE, HEAD, [SOUND], 300, 1, 0.0, 0.0)
    assert frozen.expressions is None
    assert frozen.poses is None
    nodding = draw_liveliness(FACE, HEAD, [SOUND], 300, 1, 0.0, 1.0)
    assert nodding.expressions is None
    assert nodding.poses is not None


def test_what_nobody_draws_is_said() -> None:
    with pytest.raises(UserError, match=r"ExpressionNet .* told yaw, .* liveliness=0"):
        drawn(expression_net=ExpressionNet(("blink", "yaw"), width=16))
    with pytest.raises(UserError, match=r"HeadNet .* told open, .* sway=0"):
        drawn(head_net=HeadNet(("open",), width=16, blocks=1))
