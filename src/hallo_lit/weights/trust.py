"""What a configuration that came from elsewhere may name."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hallo_lit.errors import UserError
from hallo_lit.factory import OWN, locate

ALLOWED = tuple(f"hallo_lit.{part}." for part in ("blocks", "components", "diffusion", "animation.handover"))


def check_targets(config: Any, trust: Sequence[str] = OWN) -> None:
    """Refuses a configuration that names anything but classes, their class methods and functions of trusted packages.

    Of this package only networks and samplers may be named, and nothing that a module merely imported: a path like
    `hallo_lit.some.module.shutil.rmtree` begins with a trusted name and runs a stranger's code.

    Raises:
        UserError: names the first offender.
    """
    for name in targets(config):
        found = locate(name, trust)
        owner = found.__func__ if inspect.ismethod(found) else found
        home = str(getattr(owner, "__module__", ""))
        own = home.split(".")[0]
        honest = callable(found) and own in trust and name.startswith(home + ".")
        if not honest or (own in OWN and not name.startswith(ALLOWED)):
            raise UserError(
                f"The bundle's configuration wants to run {name}, which is no part of a model; do not use it."
            )


def targets(config: Any) -> Iterator[str]:
    """Every `_target_` at any depth."""
    if isinstance(config, Mapping):
        if "_target_" in config:
            yield str(config["_target_"])
        for value in config.values():
            yield from targets(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from targets(value)
