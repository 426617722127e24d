"""`hallo-lit evaluate`: tables of metrics."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from hallo_lit.cli.compose import compose
from hallo_lit.cli.interruption import interruptible
from hallo_lit.cli.progress import Phases
from hallo_lit.cli.recommended import adopt, named_by, weights_of
from hallo_lit.evaluation.inputs import write_inputs
from hallo_lit.evaluation.processes import is_first, processes
from hallo_lit.evaluation.running import cases_of, evaluate, unheard
from hallo_lit.weights.bundle import open_bundle


def settings(cfg: DictConfig, named: list[str] | None = None) -> dict[str, Any]:
    """The configuration as plain data, a bundle's own way of sampling included; `named` are keys the user has set."""
    weights = weights_of(cfg.weights, named or [])
    bundle = {} if weights is None else open_bundle(weights, check=False)[1]
    return adopt(cfg, compose("evaluate"), bundle, named or []) | {"weights": weights}


def run(cfg: DictConfig) -> float | None:
    """Prints the table and where its files are; with `figures`, draws those instead; with `sweep`, makes one row."""
    job = HydraConfig.get() if HydraConfig.initialized() else None
    words = [] if job is None else list(job.overrides.task)
    with processes(), interruptible(), Phases() as phases:
        if "sweep" in cfg:
            from hallo_lit.cli.sweep import run_row

            return run_row(cfg, phases)
        config = settings(cfg, named_by(words))
        if cfg.figures:
            from hallo_lit.evaluation.figures.drawing import draw_figures

            if is_first():
                draw_figures(config, " ".join(["hallo-lit evaluate", *words]), progress=phases)
            return None
        if cfg.inputs is not None:
            cases = cases_of(config)
            print(f"{write_inputs(cases, Path(cfg.inputs))}: portraits and recordings of {len(cases)} clips")
            return None
        try:
            table = evaluate(config, progress=phases, tell=_note if is_first() else unheard)
        except KeyboardInterrupt:
            _note(f"finished clips are kept in {cfg.cache_dir}; the same call goes on.")
            raise
        if is_first():
            Console().print(table.to_rich())
            print(f"{cfg.run_dir}: table.csv table.tex table.md table.json items.csv")
    return None if any(row.values for row in table.rows) else 1


def _note(text: str) -> None:
    print(f"hallo-lit: {text}", file=sys.stderr)
