"""The weights a stage begins from: bundles, public files and earlier stages, joined strictly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.reference_prior import ReferencePrior
from hallo_lit.errors import UserError
from hallo_lit.stages.checkpoint import checkpoint_in, is_checkpoint, read_checkpoint
from hallo_lit.stages.shell import Stage
from hallo_lit.structs import REGIONS
from hallo_lit.weights.bundle import open_bundle
from hallo_lit.weights.contents import Contents
from hallo_lit.weights.importing import fill, take
from hallo_lit.weights.index import INDEX
from hallo_lit.weights.places import expand
from hallo_lit.weights.reading import read_state
from hallo_lit.weights.strict import KeyMismatch, compare, load_strictly, shapes_of

State = dict[str, Tensor]


@dataclass
class Begun:
    """source -> how many tensors it gave; fresh: the keys that begin untrained."""

    given: dict[str, int] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{count} tensors from {name}" for name, count in self.given.items()]
        return "\n".join([*lines, *([f"{len(self.fresh)} tensors begin untrained"] if self.fresh else [])])


def begin(
    stage: Stage,
    weights: Sequence[str],
    fresh: Sequence[str],
    config: Mapping[str, Any],
    without: Sequence[str] = (),
) -> Begun:
    """Fills the stage's network; a later source overrides an earlier one.

    weights: bundle folders, public files (SD 1.5, AnimateDiff, VAE, Hallo ...) and `.ckpt` files of stages. fresh:
    patterns of keys that may keep their random values (`denoiser.*.audio.*`); every other key must come from a source.
    without: patterns of keys that are not taken from any source.

    Raises:
        UserError: a source is unusable or of a stage this one does not follow, or weights are missing.
        KeyMismatch: keys do not fit.
    """
    network, begun, state = stage.network, Begun(), State()
    wanted = shapes_of(network)
    for source in weights:
        path = checkpoint_in(Path(source))
        given = _from_checkpoint(path, stage) if is_checkpoint(path) else _from_files(path, network, config)
        given = {key: t for key, t in given.items() if not any(fnmatchcase(key, pattern) for pattern in without)}
        report = compare({key: tuple(t.shape) for key, t in given.items()}, wanted)
        if report.unexpected or report.misshapen:
            report.missing.clear()
            raise KeyMismatch(str(path), f"the network of stage={stage.name}", report)
        _take_prior(stage, path)
        begun.given[source] = len(given)
        state |= given
    missing = [key for key in wanted if key not in state]
    begun.fresh = [key for key in missing if any(fnmatchcase(key, pattern) for pattern in fresh)]
    lacking = [key for key in missing if key not in set(begun.fresh)]
    if lacking:
        raise UserError(_lacking(stage, weights, lacking))
    current = network.state_dict()
    load_strictly(network, {**{key: current[key] for key in begun.fresh}, **state}, "init.weights")
    stage.untrained, stage.begins = begun.fresh, True
    return begun


def _from_checkpoint(path: Path, stage: Stage) -> State:
    checkpoint = read_checkpoint(path)
    if checkpoint.stage not in stage.follows:
        raise UserError(
            f"{path} is of stage={checkpoint.stage}; stage={stage.name} begins from {' or '.join(stage.follows)}."
        )
    if checkpoint.stage == "codec" and isinstance(stage.network, Hallo):
        return {f"codec.{key}": tensor for key, tensor in checkpoint.network.items()}
    if "lora" in "".join(checkpoint.network):
        raise UserError(f"{path} holds LoRA factors; make a bundle of it (`hallo-lit weights export`) and give that.")
    return checkpoint.network


def _take_prior(stage: Stage, path: Path) -> None:
    """A prior that would be measured takes the spreads that these weights were trained under, if there were any."""
    prior = getattr(stage, "prior", None)
    if not isinstance(prior, ReferencePrior):
        return
    if is_checkpoint(path):
        checkpoint = read_checkpoint(path)
        config, found = checkpoint.config, checkpoint.state.get("prior.spread")
    elif (path / INDEX).is_file() or not path.exists():
        config, found = open_bundle(path, check=False)[1], None
    else:
        return
    said = ((config.get("process") or {}).get("prior") or {}).get("spread")
    if found is not None:
        said = dict(zip(REGIONS, found.tolist(), strict=True))
    if said is not None:
        prior.measure(said)


def _from_files(path: Path, network: nn.Module, config: Mapping[str, Any]) -> State:
    parts = {name: shapes_of(part) for name, part in network.named_children()}
    if (path / INDEX).is_file() or not path.exists():
        folder, _, index = open_bundle(path)
        present = [name for name in parts if f"{name}.safetensors" in index]
        states: Mapping[str, Mapping[str, Tensor]] = {n: read_state(folder / f"{n}.safetensors") for n in present}
    else:
        contents = Contents(config)
        fill(contents, parts, [take(file, parts, contents) for file in expand([path])])
        states = contents.tensors
    return {f"{part}.{key}": tensor.float() for part, state in states.items() for key, tensor in state.items()}


def _lacking(stage: Stage, weights: Sequence[str], lacking: Sequence[str]) -> str:
    parts = ", ".join(dict.fromkeys(key.split(".")[0] for key in lacking))
    before = " or ".join(name for name in stage.follows if name != stage.name) or "an earlier run"
    what = f"{', '.join(map(str, weights))} lack" if weights else "no init.weights are given for"
    return (
        f"stage={stage.name} does not begin from nothing: {what} {len(lacking)} tensors of {parts} ({lacking[0]}); "
        f"give a checkpoint of stage={before} or public weights as init.weights=[...], "
        "or allow them to begin untrained by init.fresh."
    )
