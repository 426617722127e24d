from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.stages.fitting import fit, out_of_memory, precision


class Failing:
    """A trainer whose fit ends with an error."""

    precision, accumulate_grad_batches, is_global_zero = "32-true", 2, True

    def __init__(self, error: Exception, launcher: Any = None) -> None:
        self.error, self.loggers = error, list[Any]()
        self.strategy = SimpleNamespace(launcher=launcher)

    def fit(self, *_: Any, **__: Any) -> None:
        raise self.error


DATA: Any = SimpleNamespace(batch_size=8)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_out_of_memory_says_what_lowers_it(error: Exception) -> None:
    with pytest.raises(UserError, match="ran out of memory") as said:
        fit(Failing(error), None, DATA)  # type: ignore[arg-type]
    text = str(said.value)
    assert "\n" not in text
    cheapest_first = ["precision=bf16", "checkpointing=true", "data.batch_size=4 accumulate=4", "adamw_8bit", "fsdp"]
    assert sorted(cheapest_first, key=text.index) == cheapest_first


def test_advice_that_is_taken_already_is_not_given_again() -> None:
    trainer: Any = Failing(ValueError())
    trainer.precision = "bf16-mixed"
    assert "bf16" not in out_of_memory(trainer, SimpleNamespace(batch_size=1))  # type: ignore[arg-type]
    assert "batch_size" not in out_of_memory(trainer, SimpleNamespace(batch_size=1))  # type: ignore[arg-type]


def test_other_errors_pass_and_end_the_processes_that_wait_for_this_one() -> None:
    ended: list[int] = []
    with pytest.raises(RuntimeError, match="shapes"):
        fit(Failing(RuntimeError("shapes differ"), SimpleNamespace(kill=ended.append)), None, DATA)  # type: ignore[arg-type]
    assert ended == [signal.SIGKILL]


def test_an_unknown_precision_is_refused() -> None:
    assert precision("bf16") == "bf16-mixed"
    with pytest.raises(UserError, match="precision=fp8"):
        precision("fp8")
