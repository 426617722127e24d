"""Configurations without the command line: for notebooks, tests and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from hallo_lit.factory import build

if TYPE_CHECKING:
    from hallo_lit.components.hallo import Hallo


def conf_dir() -> Path:
    """conf/ of the checkout when there is one, else the copy shipped in the wheel."""
    checkout = Path(__file__).parents[3] / "conf"
    return checkout if (checkout / "animate.yaml").is_file() else Path(__file__).parents[1] / "conf"


def compose(config_name: str, *overrides: str, whole: bool = False) -> DictConfig:
    """What `hallo-lit <config_name> <overrides>` would receive, in Hydra's grammar (quote odd file names).

    whole: with Hydra's own part, which tells what was chosen of which group.

    Usable inside a running Hydra application, too; whatever Hydra was initialised with before is restored.

    Raises:
        hydra.errors.HydraException: an override or a configuration is wrong.
    """
    before = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return hydra_compose(config_name, overrides=list(overrides), return_hydra_config=whole)
    finally:
        GlobalHydra.instance().hydra = before


def plain(cfg: DictConfig) -> Any:
    """The configuration as dictionaries and lists with every interpolation resolved, ready for `factory.build`."""
    return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)


def instantiate(cfg: DictConfig) -> Any:
    """The object that a part of the user's own configuration describes (any package may be named)."""
    return build(plain(cfg), trust=None)


def build_model(cfg: DictConfig) -> Hallo:
    """The model of a composed configuration, freshly initialised from torch's global random state."""
    model: Hallo = instantiate(cfg.model)
    return model
