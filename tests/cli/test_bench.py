from __future__ import annotations

import json
from pathlib import Path

import pytest

from hallo_lit.cli.bench import measure, run
from hallo_lit.cli.compose import compose
from hallo_lit.errors import UserError

SMALL = ["sampler.steps=2", "frames=2", "motion_frames=1", "size.height=16", "size.width=24"]


def test_a_clip_is_measured_phase_by_phase(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figures.json"
    run(compose("bench", *SMALL, f"out={out}"))
    figures = json.loads(out.read_text())
    assert list(figures["seconds"]) == ["prepare", "condition", "step", "decode", "clip"]
    assert figures["steps"] == 2
    assert figures["passes per step"] == 2
    assert figures["size"] == "24x16, 2 frames"
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*figures, *figures["seconds"]) if name != "seconds")


def test_operations_do_not_depend_on_how_they_are_computed() -> None:
    def flops(*overrides: str) -> float:
        return float(measure(compose("bench", *SMALL, "warm_up=false", *overrides))["GFLOPs per pass"])

    usual = flops()
    assert usual > 0
    assert flops("attention=math", "guidance=none", "sampler.steps=1") == usual
    assert flops("size.width=48") > 1.9 * usual


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["size.height=20"], "size.height=20 must be a multiple of 8"),
        (["precision=fp12"], "fp32, bf16, fp16"),
        (["frames=0"], "frames=0"),
        (["attention=fast"], "attention=fast"),
    ],
)
def test_what_cannot_be_measured_is_refused(overrides: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(compose("bench", *SMALL, *overrides))
