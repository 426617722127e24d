"""Builds objects from `_target_` mappings, refusing names outside the packages the caller trusts.

A downloaded bundle carries its configuration; building whatever class that names would let a stranger run any code.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from hallo_lit.errors import UserError

OWN = ("hallo_lit",)


def build(config: Any, trust: Sequence[str] | None = OWN) -> Any:
    """The object a configuration describes: `_target_` names a callable, the other keys are its keywords.

    Mappings without `_target_` and lists are built entry by entry; lists become tuples.
    `_partial_: true` gives `functools.partial` instead of a call; `trust=None` accepts every package and is only for
    configurations the user wrote.

    Raises:
        UserError: the name is outside `trust`, does not exist, or rejects its keywords.
    """
    if isinstance(config, Mapping):
        values = {key: build(value, trust) for key, value in config.items() if key not in ("_target_", "_partial_")}
        if "_target_" not in config:
            return values
        target = locate(str(config["_target_"]), trust)
        try:
            return partial(target, **values) if config.get("_partial_") else target(**values)
        except TypeError as error:
            raise UserError(f"{config['_target_']} does not accept this configuration: {error}.") from error
    if isinstance(config, Sequence) and not isinstance(config, (str, bytes)):
        return tuple(build(value, trust) for value in config)
    return config


def locate(name: str, trust: Sequence[str] | None = OWN) -> Any:
    """The class or function behind a dotted name.

    Raises:
        UserError: see `build`.
    """
    if trust is not None and name.split(".")[0] not in trust:
        raise UserError(
            f"The configuration wants to run {name}, which is outside {', '.join(trust)}; "
            "name its package in `trust` if you know where the configuration comes from."
        )
    parts = name.split(".")
    for split in range(len(parts) - 1, 0, -1):
        module_name = ".".join(parts[:split])
        try:
            found: Any = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is not None and (module_name == error.name or module_name.startswith(error.name + ".")):
                continue
            raise UserError(f"{name} needs the package {error.name}, which is not installed.") from error
        try:
            for part in parts[split:]:
                found = getattr(found, part)
        except AttributeError:
            break
        # a trusted module also holds what it imported, which is not to be reached through it
        if trust is not None and str(getattr(found, "__module__", None)).split(".")[0] not in trust:
            raise UserError(f"The configuration wants to run {name}, which is no part of {', '.join(trust)}.")
        return found
    raise UserError(f"The configuration names {name}, which does not exist; check its _target_.")
