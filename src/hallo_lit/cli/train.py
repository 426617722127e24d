"""`hallo-lit train`: one stage of training."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from hallo_lit.cli.bundled import begin_from_weights, named_here
from hallo_lit.cli.compose import plain
from hallo_lit.cli.words import literal

OWN_KEYS = ("name", "run_dir", "group")


def run(cfg: DictConfig) -> int | float | None:
    """Returns the last validation loss where there is one, for hyper-parameter sweeps; an exit status when a
    signal to leave came first."""
    from hallo_lit.stages.running import starts_processes, train

    begin_from_weights(cfg, named_here())
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        _name_row(cfg)
        config = plain(cfg)
        return _apart(config) if starts_processes(config) else train(config)
    return train(plain(cfg))


def _name_row(cfg: DictConfig) -> None:
    """A row of a multirun is called by its overrides, and filed under the name of the sweep."""
    job = HydraConfig.get()
    cfg.group = cfg.group or cfg.name
    cfg.name = job.job.override_dirname or str(job.job.num)
    cfg.run_dir = job.runtime.output_dir


def _apart(config: Mapping[str, Any]) -> int | None:
    """A run on several devices starts processes of its own, which must not start the sweep again."""
    words = [word for word in HydraConfig.get().overrides.task if word.partition("=")[0] not in OWN_KEYS]
    words += [f"{key}={literal(str(config[key]))}" for key in OWN_KEYS]
    command = [sys.executable, "-m", "hallo_lit.cli", "train", *words]
    return subprocess.run(command, check=False).returncode or None
