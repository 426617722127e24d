from __future__ import annotations

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException

import hallo_lit
from hallo_lit.cli.compose import compose, conf_dir, instantiate, plain


def test_it_is_what_the_command_line_would_receive() -> None:
    assert hallo_lit.compose is compose
    cfg = compose("animate", "fusion=gated", "seed=5")
    assert (cfg.seed, cfg.fusion._target_.rpartition(".")[2]) == (5, "GatedFusion")
    assert "hydra" not in cfg


def test_it_leaves_hydra_as_it_was() -> None:
    assert GlobalHydra.instance().hydra is None
    compose("animate")
    with pytest.raises(HydraException):
        compose("animate", "nothing=1")
    assert GlobalHydra.instance().hydra is None


def test_parts_are_built_with_interpolations_resolved() -> None:
    cfg = compose("animate", "guidance=interval", "cfg_scale=2.5")
    assert plain(cfg.guidance)["inner"]["scale"] == 2.5
    assert instantiate(cfg.guidance).inner.scale == 2.5


def test_the_tree_of_the_checkout_comes_first() -> None:
    assert (conf_dir() / "animate.yaml").is_file()
    assert (conf_dir().parent / "pyproject.toml").is_file()
