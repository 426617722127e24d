"""Checkpoints: written whole or not at all, opened without running anything in them, self-describing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from hallo_lit.data.atomic import HIDDEN, replacing
from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.stages.shell import Stage
from hallo_lit.weights.reading import sniff

RECORD = "hallo_lit"  # what a checkpoint says about itself
ENDING = ".ckpt"
FOLDER = "checkpoints"  # of a run
TRUSTED = ("hallo_lit", "torch", "bitsandbytes")  # whose code a checkpoint may name


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning writes through memory and a temporary folder; this writes beside the target and renames."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        with replacing(Path(path)) as part:
            torch.save(checkpoint, part)

    def load_checkpoint(self, path: str | Path, map_location: Any = None, weights_only: bool | None = None) -> Any:
        """Tensors stay in the file until they are used, so that the ranks of a machine share its pages."""
        return torch.load(path, weights_only=True, map_location="cpu", mmap=True)


@dataclass(frozen=True)
class Checkpoint:
    """config: resolved, as the training began; state: of the stage, averaged weights where there are such."""

    path: Path
    stage: str
    step: int
    config: Mapping[str, Any]
    state: Mapping[str, Tensor]
    torch: str = "unknown"  # the version that wrote it

    @property
    def network(self) -> dict[str, Tensor]:
        """The trained network's state."""
        return {key.removeprefix("network."): t for key, t in self.state.items() if key.startswith("network.")}


def read_checkpoint(path: Path) -> Checkpoint:
    """Opens a checkpoint; its tensors stay in the file until they are used.

    Raises:
        UserError: the file is missing, damaged, wants to run code, or is no checkpoint of this program.
    """
    if sniff(path) != "zip":
        raise UserError(f"{path} is no checkpoint of a training run; give a file from its checkpoints folder.")
    try:
        found = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
    except Exception as error:  # torch, zipfile and pickle each have their own ways to say that a file is damaged
        raise UserError(f"{path} is damaged or is no checkpoint of a training run; take another one.") from error
    try:
        record = found[RECORD]
        config = yaml.safe_load(record["config"])
        return Checkpoint(
            path,
            str(record["stage"]),
            int(found["global_step"]),
            config,
            found["state_dict"],
            str(record.get("torch", "unknown")),
        )
    except (KeyError, TypeError, yaml.YAMLError) as error:
        raise UserError(
            f"{path} does not say how it was trained, so it is no checkpoint of `hallo-lit train`; "
            "import foreign weights with `hallo-lit weights import`."
        ) from error


def rebuild(checkpoint: Checkpoint, trust: Sequence[str] = TRUSTED) -> Stage:
    """The stage as it was trained, from nothing but the file.

    Raises:
        UserError: the configuration names code outside `trust` or that does not exist (any more), or the weights do not
            fit it.
    """
    stage: Stage = build(checkpoint.config["stage"], trust)
    stage.adapt()
    try:
        stage.load_state_dict(dict(checkpoint.state), strict=True)
    except RuntimeError as error:
        raise UserError(
            f"{checkpoint.path} does not fit the network it describes; it was made by another version."
        ) from error
    return stage.eval()


def is_checkpoint(path: Path) -> bool:
    """Whether a file says of itself that this program's training wrote it; other programs also write `.ckpt`."""
    if path.suffix != ENDING or not path.is_file():
        return False
    try:
        found = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
    except Exception:  # damaged or foreign: whoever reads it for what it is has the sentence for it
        return False
    return isinstance(found, Mapping) and RECORD in found


def checkpoint_in(path: Path) -> Path:
    """The newest checkpoint where `path` is the folder of a run, else `path` itself.

    Raises:
        UserError: the run has none yet.
    """
    if not path.is_dir():
        return path
    found = newest(path / FOLDER)
    if found is None and (path / "train.log").is_file():
        raise UserError(f"{path} is a run without a checkpoint yet; go on with it, or take another one.")
    return found or path


def newest(folder: Path) -> Path | None:
    """The checkpoint of the latest step in a folder; half-written ones have other names."""
    whole = [path for path in folder.glob(f"*{ENDING}") if not path.name.startswith(HIDDEN)]
    return max(whole, key=lambda path: (_step(path), path.stat().st_mtime), default=None)


def check_resumable(checkpoint: Checkpoint, stage: str, config: Mapping[str, Any]) -> None:
    """
    Raises:
        UserError: the checkpoint is of another stage or of another network; names what differs.
    """
    if checkpoint.stage != stage:
        raise UserError(
            f"{checkpoint.path} is of stage={checkpoint.stage} and cannot resume stage={stage}; "
            f"to begin from its weights, give it as init.weights=[{checkpoint.path}]."
        )
    before, now = (_flat(given["stage"]["network"]) for given in (checkpoint.config, config))
    differing = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
    differing = [key for key in differing if not key.endswith("checkpointing")]
    if differing:
        key = differing[0]
        raise UserError(
            f"{checkpoint.path} was trained with another network ({key} was {before.get(key)} and is {now.get(key)}"
            f"{f', and {len(differing) - 1} more' if len(differing) > 1 else ''}); give the same settings to resume."
        )


def check_states(checkpoint: Checkpoint, stage: Stage) -> None:
    """
    Raises:
        UserError: the checkpoint holds other tensors than this stage, or other parameters trained; names the first.
    """
    trains = checkpoint.config["stage"]["learning"]["trains"]
    if list(trains) != list(stage.learning.trains):
        raise UserError(
            f"{checkpoint.path} trained {' '.join(trains)}; give the same stage.learning.trains to resume, or begin "
            f"another run from it: init.weights=[{checkpoint.path}]."
        )
    now = stage.state_dict()
    differing = sorted(set(now) ^ set(checkpoint.state))
    if differing:
        raise UserError(
            f"{checkpoint.path} was trained with other settings ({'it lacks' if differing[0] in now else 'it has'} "
            f"{differing[0]}); give the same ones to resume, or begin another run from it: "
            f"init.weights=[{checkpoint.path}]."
        )


def _step(path: Path) -> int:
    digits = "".join(filter(str.isdigit, path.stem))
    return int(digits) if digits else -1


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {k: v for key, inner in value.items() for k, v in _flat(inner, f"{prefix}{key}.").items()}
    return {prefix.rstrip("."): list(value) if isinstance(value, (list, tuple)) else value}
