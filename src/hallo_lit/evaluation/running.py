"""A whole evaluation from its resolved configuration (conf/evaluate.yaml), without any command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from hallo_lit.animation.animator import Animator
from hallo_lit.animation.building import DEFAULTS, NETWORKS, from_bundle, from_config
from hallo_lit.animation.devices import pick_device
from hallo_lit.animation.options import Options
from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
from hallo_lit.evaluation.bootstrap import Bootstrap
from hallo_lit.evaluation.cases import Case, videos_in
from hallo_lit.evaluation.generation import Generated, generate
from hallo_lit.evaluation.header import header_of
from hallo_lit.evaluation.logs import log_table
from hallo_lit.evaluation.processes import barrier, is_first, share
from hallo_lit.evaluation.row import Row
from hallo_lit.evaluation.scoring import Progress, score, score_real, silent
from hallo_lit.evaluation.table import REAL, Table, columns_of
from hallo_lit.factory import build
from hallo_lit.metrics.base import VideoMetric
from hallo_lit.stages.loggers import begin_anew

# What decides how a video is made; the other keys of the configuration say how it is judged.
OF_THE_MODEL = (*NETWORKS, *DEFAULTS, "size", "cfg_scale")


def unheard(text: str) -> None:
    """Nobody to tell."""


def evaluate(
    config: Mapping[str, Any],
    animator: Animator | None = None,
    progress: Progress = silent,
    tell: Callable[[str], None] = unheard,
) -> Table:
    """Generates what is missing, scores every row, and writes the table to `config["run_dir"]`.

    Rows: each entry of `methods`, the model (`animator`, or the one that the configuration describes) unless
    `generate` is false, and the real videos. `tell` hears at once which metrics are skipped, before hours of work.

    Raises:
        UserError: a setting, a folder or the weights cannot be used; no clip could be animated.
    """
    cases = cases_of(config)
    metrics = metrics_of(config)
    bootstrap = build(config["bootstrap"])
    assert isinstance(bootstrap, Bootstrap)
    methods = methods_of(config)
    own = (animator or animator_of(config)) if config["generate"] else None
    for metric in metrics.values():
        if metric.skipped is not None:
            tell(metric.skipped)
    if config["generate"] and animator is None and config["weights"] is None:
        tell("no weights= given: the model is random, and its row shows what noise reaches.")
    rows = [score(folder, cases, metrics, name, bootstrap, progress) for name, folder in methods.items()]
    if own is not None:
        rows.append(_own_row(config, own, cases, metrics, bootstrap, progress))
    if any(case.truth is not None for case in cases):
        rows.append(score_real(REAL, cases, metrics, bootstrap, progress))
    table = Table(
        config["title"] or config["name"], columns_of(metrics.values()), rows, header_of(config, cases, metrics, rows)
    )
    if is_first():
        _keep(table, config)
    barrier()
    return table


def cases_of(config: Mapping[str, Any]) -> list[Case]:
    """The test set."""
    make = build(config["cases"], trust=None)
    found: list[Case] = make(cache=Path(config["cache_dir"]))
    return found


def methods_of(config: Mapping[str, Any]) -> dict[str, Path]:
    """Folders of other methods' videos by name.

    Raises:
        UserError: one of them is no folder of videos.
    """
    given = config["methods"] or {}
    if not isinstance(given, Mapping):
        raise UserError(f"methods={given} must be a mapping; write methods.NAME=FOLDER.")
    for name, folder in given.items():
        if not isinstance(folder, str):
            raise UserError(f"methods.{name} must be a folder of videos, not {folder!r}; names have no dots.")
        if name in (REAL, config["ours"]):
            raise UserError(f"methods.{name}: another row has this name; choose a different one.")
        videos_in(folder)
    return {name: Path(folder).expanduser() for name, folder in given.items()}


def metrics_of(config: Mapping[str, Any]) -> dict[str, VideoMetric]:
    """The metrics by name, with networks on the device where the model runs.

    Raises:
        UserError: there is none.
    """
    found = {name: build(entry, trust=None) for name, entry in (config["metric"] or {}).items() if entry is not None}
    if not found:
        raise UserError("No metric is chosen; set metrics=fast or metrics=paper.")
    device = pick_device(config["device"])
    for metric in found.values():
        metric.to("cpu" if device.type == "mps" else device)  # statistics are float64, which MPS lacks
    return found


def animator_of(config: Mapping[str, Any]) -> Animator:
    """The model of a bundle, "auto" being the one that comes along, or one with random weights for null."""
    settings = {name: config[name] for name in OF_THE_MODEL if name in config}
    if config["weights"] is None:
        return from_config(settings, None, config["seed"])
    where = "tiny" if config["weights"] == "auto" else config["weights"]
    return from_bundle(where, settings, None)


def options_of(config: Mapping[str, Any]) -> Options:
    """What holds for every video of this evaluation."""
    names = ("seed", "crop", "face", "face_expand_ratio")
    return Options(**{name: config[name] for name in names})


def generate_all(
    config: Mapping[str, Any], animator: Animator, cases: Sequence[Case], progress: Progress = silent
) -> Generated:
    """Videos of all cases in the cache; each process makes its share of them.

    Raises:
        UserError: not one of them could be made.
    """
    place = Path(config["cache_dir"]) / "videos"
    found = generate(animator, cases, place, options_of(config), progress, share())
    if len(found.faults) == len(cases):
        name, fault = next(iter(found.faults.items()))
        raise UserError(f"None of the {len(cases)} clips could be animated; {name}: {fault}")
    return found


def _own_row(
    config: Mapping[str, Any],
    animator: Animator,
    cases: Sequence[Case],
    metrics: Mapping[str, VideoMetric],
    bootstrap: Bootstrap,
    progress: Progress,
) -> Row:
    made = generate_all(config, animator, cases, progress)
    row = score(made.folder, cases, metrics, config["ours"], bootstrap, progress, made.faults)
    about = animator.describe(cases[0].audio, cases[0].audio, options_of(config))
    facts = {
        "weights": f"weights {animator.weights}",
        "seed": f"seed {config['seed']}",
        **{name: str(about[name]) for name in ("sampler", "guidance")},
        "frames": f"clips of {about['frames']} frames after {about['motion_frames']}",
        "videos": str(made.folder),
    }
    return replace(row, facts=facts)


def _keep(table: Table, config: Mapping[str, Any]) -> None:
    folder = Path(config["run_dir"])
    table.save(folder)
    with replacing(folder / "config.yaml") as part:
        part.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True), encoding="utf-8")
    begin_anew(folder)
    log_table(table, [build(entry, trust=None) for entry in (config["logger"] or {}).values() if entry is not None])
