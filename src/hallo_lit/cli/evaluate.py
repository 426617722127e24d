"""`hallo-lit evaluate`: tables of metrics."""

from __future__ import annotations

from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from hallo_lit.cli.compose import compose
from hallo_lit.cli.interruption import interruptible
from hallo_lit.cli.progress import Phases
from hallo_lit.cli.recommended import adopt, named_by
from hallo_lit.evaluation.processes import is_first, processes
from hallo_lit.evaluation.running import evaluate
from hallo_lit.weights.bundle import open_bundle


def settings(cfg: DictConfig, named: list[str] | None = None) -> dict[str, Any]:
    """The configuration as plain data, a bundle's own way of sampling included; `named` are keys the user has set."""
    bundle = {} if cfg.weights is None else open_bundle(cfg.weights, check=False)[1]
    return adopt(cfg, compose("evaluate"), bundle, named or [])


def run(cfg: DictConfig) -> None:
    """Prints the table and where its files are."""
    named = named_by(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []
    with processes(), interruptible(), Phases() as phases:
        table = evaluate(settings(cfg, named), progress=phases)
        if is_first():
            Console().print(table.to_rich())
            print(f"{cfg.run_dir}: table.csv table.tex table.md table.json items.csv")
