"""The complete tiny model computes what it computed while it equalled the original."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

GOLDEN = Path(__file__).parents[1] / "golden" / "hallo"


@pytest.fixture(scope="module")
def made() -> dict[str, torch.Tensor]:
    sys.path.insert(0, str(GOLDEN))
    from tiny import outputs

    sys.path.remove(str(GOLDEN))
    return outputs()


RECORDED = load_file(GOLDEN / "tiny.safetensors")


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_the_tiny_model_computes_what_was_recorded(made: dict[str, torch.Tensor], name: str) -> None:
    wanted = RECORDED[name]
    assert wanted.isfinite().all()
    if name.endswith("gradients"):
        torch.testing.assert_close(made[name], wanted, rtol=5e-3, atol=0)
    else:
        torch.testing.assert_close(made[name], wanted, rtol=0, atol=2e-4 * float(wanted.abs().max()))


def test_everything_computed_is_recorded_and_says_something(made: dict[str, torch.Tensor]) -> None:
    assert made.keys() == RECORDED.keys()
    for name in ("prediction", "frames"):
        assert (RECORDED[f"ours.{name}"] - RECORDED[f"released.{name}"]).abs().max() > 0.05
    for name in ("ours.frames", "released.frames"):
        assert RECORDED[name].std() > 0.02
        assert (RECORDED[name][:3] - RECORDED[name][3:]).abs().mean() > 1e-3
