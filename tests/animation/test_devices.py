"""Devices and precisions by name."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.animation.devices import pick_device, pick_precision
from hallo_lit.errors import UserError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Pretends to be a machine with that many CUDA devices, with or without an Apple GPU."""

    def pretend(cuda: int = 0, mps: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return pretend


@pytest.mark.parametrize(
    ("cuda", "mps", "found"), [(0, False, "cpu"), (0, True, "mps"), (2, False, "cuda"), (1, True, "cuda")]
)
def test_auto_takes_the_fastest_that_is_there(machine, cuda: int, mps: bool, found: str) -> None:
    machine(cuda, mps)
    assert pick_device("auto") == torch.device(found)


def test_a_device_that_is_there_is_taken_by_name(machine) -> None:
    machine(2, True)
    for name in ("cpu", "cuda", "cuda:1", "mps"):
        assert pick_device(name) == torch.device(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cuda", "PyTorch sees 0 CUDA devices; use device=auto"),
        ("cuda:1", "PyTorch sees 0 CUDA devices"),
        ("mps", "PyTorch sees no Apple GPU"),
        ("gpu", "device=gpu is not known; use auto, cpu, cuda, cuda:1 or mps"),
        ("cuda:x", "device=cuda:x is not known"),
        ("", "device= is not known"),
        ("meta", "device=meta is not supported"),
        ("xpu", "device=xpu is not supported"),
    ],
)
def test_a_device_that_is_not_there_is_named(machine, name: str, said: str) -> None:
    machine()
    with pytest.raises(UserError, match=said):
        pick_device(name)


def test_the_last_device_is_the_one_before_their_number(machine) -> None:
    machine(2)
    assert pick_device("cuda:1").index == 1
    with pytest.raises(UserError, match="device=cuda:2 is not there: PyTorch sees 2 CUDA devices"):
        pick_device("cuda:2")


def test_precisions_have_names() -> None:
    found = [pick_precision(name) for name in ("fp32", "bf16", "fp16")]
    assert found == [torch.float32, torch.bfloat16, torch.float16]
    with pytest.raises(UserError, match="precision=int8 is not known; choose one of fp32, bf16, fp16"):
        pick_precision("int8")
