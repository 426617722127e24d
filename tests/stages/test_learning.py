from __future__ import annotations

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.stages.learning import Schedule, adamw_8bit


def test_the_rate_rises_then_keeps_its_shape() -> None:
    assert [Schedule(warm_up=4).factor(step) for step in (0, 1, 3, 4, 9999)] == [0.25, 0.5, 1, 1, 1]
    linear = Schedule("linear", warm_up=0, steps=10, floor=0.2)
    assert [round(linear.factor(step), 6) for step in (0, 5, 10, 99)] == [1, 0.6, 0.2, 0.2]
    cosine = Schedule("cosine", warm_up=2, steps=12)
    assert cosine.factor(2) == 1
    assert cosine.factor(7) == pytest.approx(0.5)
    assert cosine.factor(12) == pytest.approx(0)
    held = Schedule("linear", steps=10, hold=0.6)
    assert [round(held.factor(step), 6) for step in (0, 6, 8, 10)] == [1, 1, 0.5, 0]
    with pytest.raises(UserError, match="hold=1"):
        Schedule("linear", steps=10, hold=1)


def test_the_optimiser_follows_it() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 0.1)
    follower = Schedule(warm_up=2).over(optimizer)
    rates = []
    for _ in range(3):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        follower.step()
    assert rates == pytest.approx([0.05, 0.1, 0.1])


def test_a_checkpoint_does_not_freeze_the_schedule() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 0.1)
    state = Schedule("linear", steps=10).over(optimizer).state_dict()
    longer = Schedule("linear", steps=20)
    follower = longer.over(optimizer)
    follower.load_state_dict(state)
    optimizer.step()
    follower.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * longer.factor(1))


@pytest.mark.parametrize("wrong", [("cubic", 0, 5), ("linear", 5, 5), ("cosine", 0, 0), ("constant", -1, 0)])
def test_schedules_that_make_no_sense_are_refused(wrong: tuple[str, int, int]) -> None:
    with pytest.raises(UserError):
        Schedule(*wrong)  # type: ignore[arg-type]


def test_eight_bits_need_a_package() -> None:
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        with pytest.raises(UserError, match="bitsandbytes"):
            adamw_8bit([torch.nn.Parameter(torch.ones(1))])
