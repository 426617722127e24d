from __future__ import annotations

import pytest
import torch
from torch import nn

from hallo_lit.weights.strict import KeyMismatch, compare, load_strictly, shapes_of


def test_a_fitting_state_is_loaded() -> None:
    state = {"weight": torch.rand(2, 3), "bias": torch.rand(2)}
    net = nn.Linear(3, 2)
    load_strictly(net, state, "file")
    assert torch.equal(net.weight, state["weight"])
    assert net.weight.data_ptr() != state["weight"].data_ptr()


def test_a_network_without_memory_takes_the_tensors_themselves() -> None:
    state = {"weight": torch.rand(2, 3), "bias": torch.rand(2)}
    with torch.device("meta"):
        net = nn.Linear(3, 2)
    load_strictly(net, state, "file")
    assert net.weight.data_ptr() == state["weight"].data_ptr()


def test_every_key_is_listed_and_nothing_is_loaded() -> None:
    net = nn.ModuleDict({str(i): nn.Linear(2, 2) for i in range(5)})
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = {f"alien.{i}": torch.rand(1) for i in range(6)} | {"0.weight": torch.rand(2, 3)}
    with pytest.raises(KeyMismatch) as caught:
        load_strictly(net, state, "x.pth", {"0.weight": "theirs.w"})
    report = caught.value.report
    assert report.missing == [name for name in before if name != "0.weight"]
    assert report.unexpected == [f"alien.{i}" for i in range(6)]
    assert [str(item) for item in report.misshapen] == ["theirs.w is 2x3 instead of 2x2"]
    assert len(report.lines()) == 9 + 6 + 1
    sentence = str(caught.value)
    assert sentence.startswith(
        "x.pth does not fit ModuleDict: 9 missing (0.bias, 1.weight, 1.bias, 2.weight, and 5 more)"
    )
    assert "6 unexpected (alien.0, alien.1, alien.2, alien.3, and 2 more)" in sentence
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_a_perfect_report_says_so() -> None:
    report = compare({"a": (1,)}, {"a": (1,)})
    assert report.fits
    assert str(report) == "all keys fit"
    assert shapes_of(nn.Linear(3, 2, bias=False)) == {"weight": (2, 3)}
