"""`hallo-lit evaluate sweep=...`: one row per job of Hydra, and the table when all rows are there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose  # unlike ours, with the search path of the running call
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hallo_lit.cli.bundled import begin_from_weights
from hallo_lit.cli.compose import plain
from hallo_lit.cli.evaluate import settings
from hallo_lit.cli.progress import Phases
from hallo_lit.cli.recommended import named_by
from hallo_lit.cli.words import literal
from hallo_lit.evaluation.running import evaluate
from hallo_lit.evaluation.sweeps.gather import finish
from hallo_lit.evaluation.sweeps.results import FOLDER, slug
from hallo_lit.evaluation.sweeps.scored import measured, scored
from hallo_lit.evaluation.sweeps.sweep import Sweep, key_of
from hallo_lit.evaluation.sweeps.training import bundle_of, identity_of, trained
from hallo_lit.stages.running import starts_processes, train
from hallo_lit.stages.say import quieten

ALSO_OF_TRAINING = ("paths.", "logger", "audio_encoder")  # keys that a call of the sweep passes on


def run_row(cfg: DictConfig, progress: Phases) -> float | None:
    """Trains and scores what this job's words ask for, unless that was done before; the sweep's objective."""
    job, sweep = HydraConfig.get(), Sweep.of(plain(cfg.sweep))
    words = own_words(job.overrides.task, job.sweeper.params)
    others = [word for word in job.overrides.task if word not in words]
    folder, name = Path(cfg.run_dir), ",".join(words) or "base"
    print(f"{cfg.name}: {name}", flush=True)
    if sweep.bench is not None:
        result = measured(folder, words, [*sweep.bench, *words], others, cfg.frames)
    else:
        sweep.require(cfg.cases.get("folder"))
        if sweep.train is not None:
            cfg.weights = str(bundle_of(_model(cfg, sweep, words)))
        cfg.group, cfg.name, cfg.run_dir = cfg.group or cfg.name, name, str(folder / FOLDER / slug(words))
        shared = plain(compose("evaluate", others)), str(cfg.weights) if sweep.train is None else _probe(sweep.train)
        own = settings(cfg, named_by(job.overrides.task))
        result = scored(folder, words, own, shared, lambda config: evaluate(config, progress=progress))
    return None if sweep.objective is None else result.row.values.get(sweep.objective)


class Gather(Callback):
    """When all rows are there, they become the table."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        finish(Path(config.run_dir), Sweep.of(plain(config.sweep)), config.title or config.name)


def own_words(task: Iterable[str], params: Mapping[str, Any] | None) -> list[str]:
    """Those of a job's overrides whose keys the sweep varies, in the order of the sweep."""
    order = [key_of(str(key)) for key in params or {}]
    return sorted((word for word in task if key_of(word) in order), key=lambda word: order.index(key_of(word)))


def _model(cfg: DictConfig, sweep: Sweep, words: Sequence[str]) -> Path:
    """The finished training run behind a row."""
    begin = []
    if sweep.start is not None:
        begin = [f"init.weights=[{literal(str(_run(cfg, sweep, sweep.start, 'start')))}]"]
    own = sweep.training(words)
    return _run(cfg, sweep, [*(sweep.train or ()), *begin, *own], ",".join(own) or "base")


def _run(cfg: DictConfig, sweep: Sweep, words: Sequence[str], name: str) -> Path:
    """One training run, filed under the sweep and called `name`; equal runs of several sweeps are one."""
    run = Path(cfg.paths.output_dir) / "train" / _probe(words)
    called = [f"{key}={literal(text)}" for key, text in (("name", name), ("group", cfg.name), ("run_dir", str(run)))]
    words = [*words, *_passed_on(), *called]
    config = _composed(words)
    sweep.require(config["data"].get("store"))
    quieten()
    return trained(config, _Apart(words) if starts_processes(config) else train)


def _probe(words: Sequence[str]) -> str:
    """What distinguishes the training run of these words from all others, for its folder."""
    probe = _composed([*words, *_passed_on(), "run_dir=run"])
    return f"{probe['name']}-{identity_of(probe)}"


def _composed(words: Sequence[str]) -> dict[str, Any]:
    """What `hallo-lit train` makes of these words."""
    cfg = compose("train", list(words))
    begin_from_weights(cfg, named_by(words))
    return plain(cfg)


def _passed_on() -> list[str]:
    return [word for word in HydraConfig.get().overrides.task if key_of(word).startswith(ALSO_OF_TRAINING)]


class _Apart:
    """A run on several devices starts processes of its own, which must not start the sweep again."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    def __call__(self, config: Mapping[str, Any]) -> int:
        words = [*self.words, f"resume={config['resume'] or 'null'}"]
        return subprocess.run([sys.executable, "-m", "hallo_lit.cli", "train", *words], check=False).returncode
