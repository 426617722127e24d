from __future__ import annotations

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.weights.keymap import Format, convert, inverse

FMT = Format(
    rows=((r"^left\.(\d+)\.", r"down.\1."), (r"\.w$", ".weight")),
    drop=((r"^left\.9\.", "never used"),),
    squeeze=r"\.zero\.weight$",
)


def test_rows_apply_in_order_and_tensors_are_not_copied() -> None:
    state = {"left.0.w": torch.rand(3), "other": torch.rand(2)}
    made = convert(state, FMT)
    assert list(made.state) == ["down.0.weight", "other"]
    assert made.state["down.0.weight"] is state["left.0.w"]
    assert made.origin == {"down.0.weight": "left.0.w", "other": "other"}


def test_dropped_names_are_told_with_the_reason() -> None:
    made = convert({"left.9.w": torch.rand(1)}, FMT)
    assert made.dropped == {"left.9.w": "never used"}
    assert not made.state


def test_nothing_is_dropped_that_the_network_has_a_place_for() -> None:
    made = convert({"left.9.w": torch.rand(1)}, FMT, wanted={"down.9.weight"})
    assert list(made.state) == ["down.9.weight"]
    assert not made.dropped


def test_only_named_1x1_convolutions_become_matrices() -> None:
    kernel = torch.rand(2, 3, 1, 1)
    made = convert({"a.zero.w": kernel, "b.w": kernel}, FMT).state
    assert made["a.zero.weight"].shape == (2, 3)
    assert made["a.zero.weight"].data_ptr() == kernel.data_ptr()
    assert made["b.weight"].shape == (2, 3, 1, 1)


def test_two_keys_of_one_meaning_are_refused() -> None:
    with pytest.raises(UserError, match=r"left\.0\.w and down\.0\.weight both mean down\.0\.weight"):
        convert({"left.0.w": torch.rand(1), "down.0.weight": torch.rand(1)}, FMT)


def test_inverse_turns_the_table_round() -> None:
    assert inverse(["left.0.w", "left.1.w"], FMT) == {"down.0.weight": "left.0.w", "down.1.weight": "left.1.w"}
    with pytest.raises(UserError, match="no inverse"):
        inverse(["left.0.w", "down.0.weight"], FMT)
