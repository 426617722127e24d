"""`hallo-lit train`: one stage of training; also what sweeps call for the models they lack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from hallo_lit.cli.compose import plain
from hallo_lit.errors import UserError
from hallo_lit.factory import build

LOCAL = ("hydra", "resume")  # not part of what a checkpoint remembers


def run(cfg: DictConfig) -> int | float | None:
    """Trains one stage. Returns the last validation loss where there is one (for hyper-parameter sweeps), else None, or
    143 as exit status when SIGTERM came first.

    Raises:
        UserError: a setting, the store, a checkpoint or the weights to begin from do not fit.
    """
    sweeping = HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN
    if sweeping:
        _name_row(cfg)
    config = plain(cfg)
    return train(config, alone=not sweeping)


def train(config: Mapping[str, Any], alone: bool = True) -> int | float | None:
    """`run` for a resolved configuration; `alone=False`: in a process that has other things to do afterwards."""
    from hallo_lit.stages.checkpoint import FOLDER, check_resumable, read_checkpoint
    from hallo_lit.stages.fitting import fit
    from hallo_lit.stages.initial import begin
    from hallo_lit.stages.say import quieten, say

    quieten()
    folder = Path(config["run_dir"])
    resume = checkpoint_to_resume(config["resume"], folder / FOLDER)
    trainer = make_trainer(config)
    if not alone and trainer.strategy.launcher is not None:
        return _apart(config)
    data = make_data(config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config["seed"])
        stage = build(config["stage"], trust=None)
    if resume is None:
        say(str(begin(stage, config["init"]["weights"], config["init"]["fresh"], config)))
    else:
        checkpoint = read_checkpoint(resume)
        check_resumable(checkpoint, stage.name, config)
        say(f"going on at step {checkpoint.step} from {resume}")
    stage.adapt()
    if config["compile"]:
        getattr(stage.network, "denoiser", stage.network).compile()
    status = fit(trainer, stage, data, resume)
    if status:
        return status
    loss = trainer.callback_metrics.get("val/loss")
    return None if loss is None else float(loss)


def checkpoint_to_resume(resume: str | None, folder: Path) -> Path | None:
    """
    Raises:
        UserError: the run has begun already and `resume` does not say what to do about it, or names no file.
    """
    from hallo_lit.stages.checkpoint import checkpoint_in, newest

    there = newest(folder)
    if resume is None and there is not None:
        raise UserError(
            f"{folder.parent} holds a run that has begun; add resume=auto to go on, or name=... for another."
        )
    if resume in (None, "auto"):
        return there
    path = checkpoint_in(Path(str(resume)))
    if not path.is_file():
        raise UserError(f"resume={resume} is no checkpoint; give a .ckpt file, the folder of a run, or auto.")
    return path


def make_trainer(config: Mapping[str, Any]) -> Any:
    """A Lightning Trainer with this configuration's callbacks and loggers."""
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    from hallo_lit.stages.callbacks.checkpoints import Checkpoints
    from hallo_lit.stages.checkpoint import FOLDER, AtomicCheckpointIO
    from hallo_lit.stages.fitting import precision

    text = yaml.safe_dump({k: v for k, v in config.items() if k not in LOCAL}, sort_keys=False, allow_unicode=True)
    checkpoints = Checkpoints(Path(config["run_dir"]) / FOLDER, config["save_every"], config["keep"], text)
    partial = build(config["trainer"], trust=None)
    plugins = partial.keywords.pop("plugins", None)
    bar = partial.keywords.pop("enable_progress_bar", None)
    try:
        return partial(
            precision=precision(config["precision"]),
            plugins=[AtomicCheckpointIO(), *([] if plugins is None else [plugins])],
            logger=_entries(config["logger"]),
            callbacks=[*_entries(config["callbacks"]), checkpoints],
            enable_progress_bar=sys.stderr.isatty() if bar is None else bar,
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise UserError(f"This trainer is not possible here: {str(error).splitlines()[0]}") from error


def make_data(config: Mapping[str, Any]) -> Any:
    """The data module, which refuses features of other encoders than those configured."""
    from hallo_lit.data.datamodule import ClipDataModule
    from hallo_lit.data.spec import Encoder

    data = build(config["data"], trust=None)
    if isinstance(data, ClipDataModule) and data.encoders is None:
        heard = dict(config["audio_encoder"])
        if config["separator"]:
            heard["separator"] = config["separator"]
        made_by = {"audio": heard, "identity": config["face_encoder"]}
        data.encoders = {name: Encoder.of(made_by[name]) for name in config["check_store"]}
    return data


def _entries(named: Mapping[str, Any] | None) -> list[Any]:
    """The objects of a group whose entries can be switched off by null."""
    return [build(entry, trust=None) for entry in (named or {}).values() if entry is not None]


def _name_row(cfg: DictConfig) -> None:
    """A row of a multirun is called by its overrides, and filed under the name of the sweep."""
    job = HydraConfig.get()
    cfg.group = cfg.group or cfg.name
    cfg.name = job.job.override_dirname or str(job.job.num)
    cfg.run_dir = job.runtime.output_dir


def _apart(config: Mapping[str, Any]) -> int | None:
    """A run on several devices starts processes of its own, which must not start the sweep again."""
    words = [word for word in HydraConfig.get().overrides.task if not word.startswith(("name=", "run_dir=", "group="))]
    words += [f"{key}='{config[key]}'" for key in ("name", "run_dir", "group")]
    status = subprocess.run([sys.executable, "-m", "hallo_lit.cli", "train", *words], check=False).returncode
    return status or None
