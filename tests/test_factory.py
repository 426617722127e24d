"""Objects from configurations: what is built, and what is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from hallo_lit.blocks.cell import UNetSpec
from hallo_lit.components.fusion.gated import GatedFusion
from hallo_lit.diffusion.guidance import IntervalGuidance, JointGuidance
from hallo_lit.errors import UserError
from hallo_lit.factory import build, locate

SPEC = "hallo_lit.blocks.cell.UNetSpec"
JOINT = "hallo_lit.diffusion.guidance.JointGuidance"


def test_a_target_is_called_with_the_other_keys() -> None:
    spec = build({"_target_": SPEC, "channels": [32, 64], "heads": 2})
    assert spec == UNetSpec(channels=(32, 64), heads=2)
    assert isinstance(spec.channels, tuple)


def test_targets_are_built_inside_out() -> None:
    made = build(
        {"_target_": "hallo_lit.diffusion.guidance.IntervalGuidance", "inner": {"_target_": JOINT, "scale": 2}}
    )
    assert isinstance(made, IntervalGuidance)
    assert isinstance(made.inner, JointGuidance)
    assert made.inner.scale == 2


def test_a_partial_waits_for_its_call() -> None:
    made = build({"_target_": "hallo_lit.components.fusion.gated.GatedFusion", "_partial_": True, "branches": ["lip"]})
    assert isinstance(made, partial)
    fusion = made(8, 2, 6)
    assert isinstance(fusion, GatedFusion)
    assert fusion.branches == ("lip",)


def test_what_names_no_target_stays_data() -> None:
    assert build({"a": [1, {"b": "text"}], "c": None}) == {"a": (1, {"b": "text"}), "c": None}


def test_a_class_method_can_be_named() -> None:
    drop = build({"_target_": "hallo_lit.structs.Drop.unconditional", "batch": 2})
    assert drop.audio.tolist() == [True, True]


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "torch.load",
        "hallo_lits.evil.Thing",
        "hallo_lit.factory.importlib.import_module",
        "hallo_lit.animation.parts.shutil.rmtree",
        "hallo_lit.animation.parts.os.remove",
        "hallo_lit.animation.parts.save_file",
    ],
)
def test_names_outside_the_trusted_packages_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"outside hallo_lit|no part of hallo_lit"):
        build({"_target_": name})


def test_a_refusal_comes_before_anything_runs(tmp_path: Path) -> None:
    victim = tmp_path / "file"
    victim.write_text("x")
    with pytest.raises(UserError):
        build({"_target_": "hallo_lit.animation.parts.os.remove", "path": str(victim)})
    assert victim.exists()


def test_a_trusted_package_is_allowed() -> None:
    assert build({"_target_": "fractions.Fraction", "numerator": 3}, trust=("hallo_lit", "fractions")) == 3
    assert build({"_target_": "fractions.Fraction", "numerator": 3}, trust=None) == 3
    with pytest.raises(UserError, match=r"fractions\.Fraction, which is outside hallo_lit, os"):
        build({"_target_": "fractions.Fraction"}, trust=("hallo_lit", "os"))


def test_unknown_keywords_are_named() -> None:
    with pytest.raises(UserError, match=r"JointGuidance does not accept .*'scales'"):
        build({"_target_": JOINT, "scales": 2})


@pytest.mark.parametrize(
    "name", ["hallo_lit.diffusion.guidance.Missing", "hallo_lit.missing.Thing", "hallo_lit.structs.Drop.missing"]
)
def test_names_that_do_not_exist_are_named(name: str) -> None:
    with pytest.raises(UserError, match=f"names {name}, which does not exist"):
        locate(name)


def test_a_missing_package_is_told_from_a_missing_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_more.py").write_text("import surely_not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"needs_more\.Thing needs the package surely_not_installed"):
        locate("needs_more.Thing", trust=None)
