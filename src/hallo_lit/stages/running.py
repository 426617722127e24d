"""A training run from its resolved configuration (conf/train.yaml), without any command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only

from hallo_lit.data.datamodule import ClipDataModule
from hallo_lit.data.spec import Encoder
from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.stages.callbacks.checkpoints import Checkpoints
from hallo_lit.stages.callbacks.periodic import Periodic
from hallo_lit.stages.checkpoint import (
    FOLDER,
    AtomicCheckpointIO,
    check_resumable,
    check_states,
    checkpoint_in,
    newest,
    read_checkpoint,
)
from hallo_lit.stages.fitting import fit, precision
from hallo_lit.stages.initial import begin
from hallo_lit.stages.loggers import begin_anew
from hallo_lit.stages.run_card import keep_curve
from hallo_lit.stages.say import quieten, say
from hallo_lit.stages.shell import Stage

AT_LEAST = {
    "steps": 1, "accumulate": 1, "save_every": 1, "keep": 1, "log_every": 1, "sample_every": 1, "validate_every": 1,
    "frames": 1, "motion_frames": 0, "data.batch_size": 1, "data.workers": 0, "optimizer.lr": 0, "clip_norm": 0,
}  # fmt: skip
LOCAL = ("hydra", "resume")  # not part of what a checkpoint remembers


def train(config: Mapping[str, Any]) -> int | float | None:
    """Trains one stage; the folder of the run, `config["run_dir"]`, then holds its checkpoints, samples and logs.

    Returns the last validation loss where there is one, else None, or an exit status (int) when a signal
    to leave came first.

    Raises:
        UserError: a setting, the store, a checkpoint or the weights to begin from do not fit.
    """
    quieten()
    check_numbers(config)
    resume = checkpoint_to_resume(config["resume"], Path(config["run_dir"]))
    rank_zero_only(begin_anew if resume is None else keep_curve)(Path(config["run_dir"]))
    trainer, data = make_trainer(config), make_data(config)
    stage = make_stage(config)
    checkpoint = None
    if resume is None:
        init = config["init"]
        say(str(begin(stage, init["weights"], init["fresh"], config, init.get("without", ()))))
    else:
        checkpoint = read_checkpoint(resume)
        check_resumable(checkpoint, stage.name, config)
        say(f"going on at step {checkpoint.step} from {resume}")
        if checkpoint.step >= config["steps"]:
            say(f"steps={config['steps']} are done already; give more to go on")
    with seeded(config["seed"]):
        stage.adapt()
    if checkpoint is not None:
        check_states(checkpoint, stage)
    for logger in trainer.loggers:
        logger.log_hyperparams({"config": {key: value for key, value in config.items() if key not in LOCAL}})
    if config["compile"]:
        getattr(stage.network, "denoiser", stage.network).compile()
    if status := fit(trainer, stage, data, resume):
        return status
    say(f"the run is at its last step: {newest(Path(config['run_dir']) / FOLDER)}")
    loss = trainer.callback_metrics.get("val/loss")
    return None if loss is None else float(loss)


def check_numbers(config: Mapping[str, Any]) -> None:
    """
    Raises:
        UserError: a count is smaller than it can be; names the first.
    """
    for key, least in AT_LEAST.items():
        value: Any = config
        for name in key.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, (int, float)) and value < least:
            raise UserError(f"{key}={value} must be at least {least}.")


def make_stage(config: Mapping[str, Any]) -> Stage:
    """The stage with weights from the seed."""
    with seeded(config["seed"]):
        stage: Stage = build(config["stage"], trust=None)
    return stage


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Numbers drawn inside come from the seed; those drawn later do not depend on them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def checkpoint_to_resume(resume: str | None, run: Path) -> Path | None:
    """
    Raises:
        UserError: the run has begun already and `resume` does not say what to do about it, or names no file.
    """
    there = newest(run / FOLDER)
    if resume is None and there is not None:
        raise UserError(f"{run} holds a run already; add resume=auto to go on with it, or name=... for another one.")
    if resume in (None, "auto"):
        return there
    path = checkpoint_in(Path(str(resume)))
    if not path.is_file():
        raise UserError(f"resume={resume} is no checkpoint; give a .ckpt file, the folder of a run, or auto.")
    return path


def starts_processes(config: Mapping[str, Any]) -> bool:
    """Whether this run would start further processes of its own for its devices."""
    quieten()
    return make_trainer(config).strategy.launcher is not None


def make_trainer(config: Mapping[str, Any]) -> L.Trainer:
    """A Lightning Trainer with this configuration's callbacks and loggers.

    Raises:
        UserError: devices, strategy or precision are not possible on this machine.
    """
    text = yaml.safe_dump({k: v for k, v in config.items() if k not in LOCAL}, sort_keys=False, allow_unicode=True)
    checkpoints = Checkpoints(Path(config["run_dir"]) / FOLDER, config["save_every"], config["keep"], text)
    callbacks = _entries(config["callbacks"])
    long = [one for one in callbacks if isinstance(one, Periodic)]
    quick = [one for one in callbacks if one not in long]
    try:
        partial = build(config["trainer"], trust=None)
        plugins = partial.keywords.pop("plugins", None)
        bar = partial.keywords.pop("enable_progress_bar", None)
        trainer: L.Trainer = partial(
            precision=precision(config["precision"]),
            plugins=[AtomicCheckpointIO(), *([] if plugins is None else [plugins])],
            logger=_entries(config["logger"]),
            callbacks=[*quick, checkpoints, *long],
            enable_progress_bar=sys.stderr.isatty() if bar is None else bar,
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise UserError(f"This trainer is not possible here: {str(error).splitlines()[0]}") from error
    except KeyError as error:
        if not str(error.args[0]).startswith("SLURM_"):
            raise
        raise UserError(
            f"trainer=slurm is for the tasks of `srun`, which sets {error.args[0]}: `srun hallo-lit train ...` in a "
            "job, or take trainer=ddp."
        ) from error
    return trainer


def make_data(config: Mapping[str, Any]) -> L.LightningDataModule:
    """The data module, which refuses features of other encoders than those configured."""
    data = build(config["data"], trust=None)
    if not isinstance(data, L.LightningDataModule):
        raise UserError("data does not say what it is (_target_): choose a group of conf/data, such as data=synthetic.")
    if isinstance(data, ClipDataModule) and data.encoders is None:
        data.encoders = _encoders(config, config["check_store"])
    return data


def _encoders(config: Mapping[str, Any], features: Sequence[str]) -> dict[str, Encoder]:
    heard = dict(config["audio_encoder"])
    if config["separator"]:
        heard["separator"] = config["separator"]
    made_by = {"audio": heard, "identity": config["face_encoder"]}
    unknown = sorted(set(features) - set(made_by))
    if unknown:
        raise UserError(f"check_store knows {' and '.join(made_by)}, and not {', '.join(unknown)}.")
    return {name: Encoder.of(made_by[name]) for name in features}


def _entries(named: Mapping[str, Any] | None) -> list[Any]:
    """The objects of a group whose entries can be switched off by null.

    Raises:
        UserError: an entry does not say what it is.
    """
    entries = {name: entry for name, entry in (named or {}).items() if entry is not None}
    for name, entry in entries.items():
        if "_target_" not in entry:  # an experiment changes what callbacks=none has taken away
            raise UserError(
                f"{name} is set to {entry} without saying what it is (_target_): choose the group that has it, or "
                f"leave it out by ~callbacks.{name} (~logger.{name})."
            )
    return [build(entry, trust=None) for entry in entries.values()]
