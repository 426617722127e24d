"""Every file of conf/ composes, and every choice of every group builds at tiny widths."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib.metadata import distributions
from typing import Any

import pytest
import torch
import yaml
from omegaconf import DictConfig, OmegaConf

from hallo_lit.blocks.cell import Cell
from hallo_lit.cli.compose import build_model, compose, conf_dir, instantiate
from hallo_lit.cli.verbs import VERBS
from hallo_lit.factory import locate

CONF = conf_dir()
VERB_FILES = {path.stem for path in CONF.glob("*.yaml")}
OPTUNA = "hydra-optuna-sweeper" in {distribution.name for distribution in distributions()}
DIFFERENCES = ("experiment", "sweep")  # groups whose files state differences of one verb


def verb_of(group: str, choice: str) -> str:
    """The verb that a file of differences is for: tables and sweeps are evaluated, other experiments are trained."""
    return "evaluate" if group == "sweep" or choice.startswith("table") else "train"


def choices(group: str) -> list[str]:
    """Without those that want a plugin of Hydra which is not installed here."""
    found = sorted(path.stem for path in (CONF / group).glob("*.yaml"))
    return [name for name in found if group != "sweep" or OPTUNA or not name.startswith("optuna")]


def groups_of(verb: str) -> list[str]:
    """The groups of a verb's defaults list that hold parts of a model or of a run."""
    defaults = yaml.safe_load((CONF / f"{verb}.yaml").read_text())["defaults"]
    names = [next(iter(entry)).removeprefix("optional ") for entry in defaults if isinstance(entry, dict)]
    return [name for name in names if name not in ("hydra", "paths")]


def targets(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping with a `_target_`, at any depth of plain data."""
    if isinstance(part, dict):
        if "_target_" in part:
            yield part
        for value in part.values():
            yield from targets(value)
    elif isinstance(part, list):
        for value in part:
            yield from targets(value)


def parts_of(cfg: DictConfig, resolve: bool = True) -> Iterator[dict[str, Any]]:
    return targets(OmegaConf.to_container(cfg, resolve=resolve))


def check_keywords(part: dict[str, Any]) -> None:
    """The class exists and accepts what the file gives it."""
    keywords = {key: None for key in part if key not in ("_target_", "_partial_")}
    signature = inspect.signature(locate(part["_target_"], trust=None))
    (signature.bind_partial if part.get("_partial_") else signature.bind)(**keywords)


CASES = sorted(
    (verb, group, choice)
    for verb in VERB_FILES
    for group in groups_of(verb)
    for choice in choices(group)
    if group not in DIFFERENCES or verb == verb_of(group, choice)
)


def test_every_verb_has_a_file_and_every_file_a_verb() -> None:
    assert {verb.name for verb in VERBS} == VERB_FILES


@pytest.mark.parametrize(("verb", "group", "choice"), CASES, ids=["-".join(case) for case in CASES])
def test_every_choice_of_every_group_fits_its_class(verb: str, group: str, choice: str) -> None:
    cfg = compose(verb, f"{group}={choice}", *(["size=tiny"] if group == "model" else []))
    for part in parts_of(cfg):
        check_keywords(part)
    if group in cfg and "_target_" in cfg[group] and group not in ("audio_encoder", "face_encoder", "model"):
        assert instantiate(cfg[group]) is not None


@pytest.mark.parametrize("group", sorted(p.name for p in CONF.iterdir() if p.is_dir() and p.name not in DIFFERENCES))
def test_files_of_groups_that_no_verb_lists_yet_fit_their_classes_too(group: str) -> None:
    if group in {g for verb in VERB_FILES for g in groups_of(verb)} or group in ("hydra", "paths", "local"):
        return
    for choice in choices(group):
        for part in parts_of(compose(f"{group}/{choice}"), resolve=False):
            check_keywords(part)


@pytest.mark.parametrize("choice", choices("model"))
@pytest.mark.parametrize("fusion", choices("fusion"))
def test_every_model_builds_with_every_fusion(choice: str, fusion: str) -> None:
    cfg = compose("animate", f"model={choice}", f"fusion={fusion}", "size=tiny", "audio_encoder=log_mel")
    with torch.device("meta"):
        hallo = build_model(cfg)
    heard = [cell.audio for cell in hallo.denoiser.modules() if isinstance(cell, Cell) and cell.audio is not None]
    assert heard
    wanted = locate(cfg.fusion._target_)
    assert all(any(type(part) is wanted for part in audio.modules()) for audio in heard)


def test_the_released_model_has_the_released_widths() -> None:
    with torch.device("meta"):
        hallo = build_model(compose("animate", "model=hallo_released"))
    millions = {name: sum(p.numel() for p in part.parameters()) / 1e6 for name, part in hallo.named_children()}
    assert round(millions["denoiser"], 1) == 1345.2
    assert round(millions["audio_projection"], 1) == 36.5


@pytest.mark.parametrize("name", choices("audio_encoder"))
def test_the_model_listens_to_the_encoder_that_is_chosen(name: str) -> None:
    cfg = compose("animate", "model=tiny", f"audio_encoder={name}")
    assert cfg.model.audio_projection.layers == cfg.audio_encoder.layers
    assert cfg.model.audio_projection.width == cfg.audio_encoder.width


@pytest.mark.parametrize(("group", "choice"), [(g, choice) for g in DIFFERENCES for choice in choices(g)])
def test_every_experiment_and_sweep_composes(group: str, choice: str) -> None:
    verb = verb_of(group, choice)
    sign = "" if group in groups_of(verb) else "+"
    cfg = compose(verb, f"{sign}{group}={choice}")
    for part in parts_of(cfg):
        check_keywords(part)


def test_sizes_that_must_agree_are_written_once() -> None:
    for path in (CONF / "model").glob("*.yaml"):
        numbers = [line for line in path.read_text().splitlines() if line.strip().startswith(("channels:", "width:"))]
        assert all("${" in line for line in numbers), path


def test_every_choice_a_verb_offers_says_what_it_is() -> None:
    for group in {group for verb in VERB_FILES for group in groups_of(verb)}:
        for path in (CONF / group).glob("*.yaml"):
            lines = path.read_text(encoding="utf-8").removeprefix("# @package _global_\n").splitlines()
            assert lines[0].startswith("# "), f"{group}/{path.name}"
