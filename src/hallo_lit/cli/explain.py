"""One sentence instead of a stack trace, for errors the user can mend."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from hallo_lit.cli.compose import compose, conf_dir
from hallo_lit.cli.encoders import advice
from hallo_lit.cli.verbs import Verb
from hallo_lit.cli.words import literal
from hallo_lit.data.spec import OtherEncoderError
from hallo_lit.errors import UserError

ONE_FOR_A_LIST = ("weights",)  # verbs that take a word for a list of it
# choices of Hydra's that packages of the extra `launchers` bring
PLUGINS = ("hydra/sweeper=optuna", *(f"hydra/launcher={n}" for n in ("joblib", "submitit_local", "submitit_slurm")))


def nearest(name: str, known: Iterable[str]) -> str:
    """' (did you mean x?)', or nothing when nothing is close; the last part of a dotted name may match alone."""
    known = list(known)
    last = {key.rpartition(".")[2]: key for key in reversed(known)}
    close = get_close_matches(name, known, 1, 0.75)
    close = close or [last[match] for match in get_close_matches(name.rpartition(".")[2], last, 1, 0.75)]
    close = close or get_close_matches(name, known, 1, 0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def sentence(error: BaseException, verb: Verb, folder: str | None = None) -> str:
    """What to tell the user; empty when the error is ours, so that its stack trace is worth seeing.

    `folder` holds the user's own groups (`-cd FOLDER`).
    """
    match error:
        case OtherEncoderError():
            return advice(error, folder)
        case UserError():
            return str(error)
        case MissingConfigException():
            return _missing_choice(error)
        case OverrideParseException():
            return f"{error.override!r} is not a setting Hydra can read: {_first_line(error)}"
        case ConfigCompositionException():
            return _composition(error, verb, folder)
        case HydraException():
            return _first_line(error)
        case MissingMandatoryValue():
            return f"{verb.name} needs {error.full_key}=...; `hallo-lit {verb.name} --help` explains it."
        case InterpolationKeyError():
            where = f"The setting {error.full_key}" if error.full_key else "A setting"
            return f"{where} refers to a key that does not exist: {_first_line(error)}"
        case OmegaConfBaseException() if not isinstance(error, (ConfigAttributeError, ConfigKeyError)):
            return f"The setting {error.full_key} is wrong: {_first_line(error)}"
        case ValueError() if str(error).startswith("Config group override must be a string"):
            return (
                "A group is set to a name, not to a number or null; its values are set as group.key=..., "
                "and '~group' leaves it out."
            )
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"The disk is full: {error.filename or 'the output'} could not be written; free some space."
        case FileExistsError() | NotADirectoryError() if error.filename:
            return f"{error.filename} cannot be written ({error.strerror}); choose another place."
        case PermissionError() if error.filename:
            return f"No permission to use {error.filename}; choose another place or change its permissions."
    if type(error).__name__ == "OutOfMemoryError":
        return "The device ran out of memory; use preset=low_memory, precision=bf16, fewer frames or a smaller size."
    return ""


def check_types(verb: Verb, cfg: DictConfig, overrides: Iterable[str], folder: str | None = None) -> None:
    """Numbers, switches and lists must stay what they are; YAML alone would let `steps=abc` through, and a word in the
    place of a list would be taken for its letters.

    Raises:
        UserError: names the key, its default and what was given.
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    chosen = [o for o in parsed if not o.is_sweep_override() and (conf_dir() / o.key_or_group).is_dir()]
    changed = [o.key_or_group for o in parsed if o not in chosen and not o.is_delete() and not o.is_add()]
    changed = [key for key in changed if not key.startswith("hydra.")]
    if not changed:
        return
    defaults = compose(verb.name, *_search(folder), *(o.input_line for o in chosen if o.input_line))
    for key in changed:
        default, given = OmegaConf.select(defaults, key), OmegaConf.select(cfg, key)
        if isinstance(default, ListConfig) and isinstance(given, str) and verb.name not in ONE_FOR_A_LIST:
            raise UserError(f"{key} must be a list: {key}=[{given}].")
        kind = _kind(default)
        if kind and given is not None and _kind(given) not in (kind, "a whole number" if kind == "a number" else kind):
            others = [f"{theirs}=..." for theirs, ours in verb.aliases.items() if ours == key]
            also = f" ({', '.join(others)} set{'s' * (len(others) == 1)} {key}.)" if others else ""
            raise UserError(f"{key} must be {kind}, not {given!r}.{also}")


def _known_keys(verb: Verb, folder: str | None) -> list[str]:
    """Every key of the verb's default configuration, its groups and its aliases."""
    groups = [path.name for path in conf_dir().iterdir() if path.is_dir()]
    return [*_flatten(compose(verb.name, *_search(folder))), *groups, *verb.aliases]


def _search(folder: str | None) -> list[str]:
    """The user's folder as an override of Hydra's search path."""
    return [f"hydra.searchpath=[{literal('file://' + os.path.abspath(folder))}]"] if folder else []


def _flatten(cfg: DictConfig, prefix: str = "") -> Iterator[str]:
    for key in map(str, cfg):
        name = f"{prefix}{key}"
        yield name
        if not OmegaConf.is_interpolation(cfg, key) and not OmegaConf.is_missing(cfg, key):
            value = cfg[key]
            if isinstance(value, DictConfig):
                yield from _flatten(value, f"{name}.")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    return "a number" if isinstance(value, float) else ""


def _missing_choice(error: MissingConfigException) -> str:
    if error.options and error.missing_cfg_file:
        group, _, choice = str(error.missing_cfg_file).rpartition(os.sep)
        known = ", ".join(error.options)
        if f"{group}={choice}" in PLUGINS:
            return (
                f"{group}={choice} is a package of its own: install hallo-lit[launchers]; without it there is {known}."
            )
        return f"There is no {group}={choice}{nearest(choice, error.options)}; choose one of {known}."
    return _first_line(error)


def _composition(error: ConfigCompositionException, verb: Verb, folder: str | None) -> str:
    text = str(error)
    if text.startswith("Could not override '"):
        key = text.split("'")[1]
        chosen = map(str, compose(verb.name, *_search(folder), whole=True).hydra.runtime.choices)
        if placed := [name for name in chosen if name.startswith(f"{key}@")]:
            return f"The group {key} has a place of its own in {verb.name}: set {placed[0]}=NAME."
        return (
            f"{verb.name} has no setting {key}{nearest(key, _known_keys(verb, folder))}; "
            f"`hallo-lit {verb.name} --help` lists them."
        )
    if text.startswith("In 'experiment/") and "Could not override '" in text:
        _, name, _, key, *_ = text.split("'")
        return (
            f"{name.replace('/', '=')} is not for {verb.name}, which has no {key}; its first lines say what it is for."
        )
    if text.startswith("Ambiguous value for argument '"):
        line = text.split("'")[1]
        return f"{line} names several values; add -m to run them all, or write a list as key=[a,b]."
    if text.startswith("Could not append to config. An item is already at '"):
        return f"{text.split(chr(39))[1]} exists already; set it without the plus sign."
    cause = f" {_first_line(error.__cause__)}" if error.__cause__ is not None else ""
    return f"{_first_line(error)}{cause}".strip()


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
