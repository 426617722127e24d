"""The trained model behind a row: made by the same call as `hallo-lit train`, once, by one process at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hallo_lit.errors import UserError
from hallo_lit.evaluation.sweeps.results import hash_of
from hallo_lit.stages.checkpoint import FOLDER, checkpoint_in, newest, read_checkpoint
from hallo_lit.stages.export import export
from hallo_lit.stages.running import train

BUNDLE = "bundle"
# What a run is called, where it goes and what is told about it do not change its weights.
OF_A_CALL = ("name", "run_dir", "group", "resume", "logger", "paths", "hydra")

Train = Callable[[Mapping[str, Any]], object]


def identity_of(config: Mapping[str, Any]) -> str:
    """A hash of what a training run learns; runs of equal identity are one run.

    `config` must have been composed with a `run_dir` that is the same for all runs, since other keys contain it.
    """
    return hash_of({key: value for key, value in config.items() if key not in OF_A_CALL})


def trained(config: Mapping[str, Any], begin: Train = train) -> Path:
    """The folder of the finished run `config["run_dir"]`, which is begun or gone on with where needed.

    begin: what trains; by default in this process.

    Raises:
        UserError: see `train`; or it was ended before its last step.
    """
    run = Path(config["run_dir"])
    with locked(run):
        if steps_of(run) < int(config["steps"]):
            status = begin({**config, "resume": "auto" if newest(run / FOLDER) else None})
            if isinstance(status, int) or steps_of(run) < int(config["steps"]):
                raise UserError(f"The training in {run} ended early; call the sweep again to go on.")
    return run


def bundle_of(run: Path) -> Path:
    """The run's weights as a bundle, written when there is none.

    Raises:
        UserError: see `export`.
    """
    bundle = run / BUNDLE
    with locked(run):
        if not bundle.is_dir():
            export([run], bundle)
    return bundle


def steps_of(run: Path) -> int:
    """How many steps the newest checkpoint of a run has behind it; 0 without one."""
    path = checkpoint_in(run)
    return read_checkpoint(path).step if path.is_file() else 0


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Rows that run side by side may want the same run: the first one makes it, the others wait."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
