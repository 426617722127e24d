"""Which words of a command line choose an encoder, for sentences about stores made by another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hallo_lit.cli.compose import conf_dir
from hallo_lit.data.spec import Encoder, OtherEncoderError
from hallo_lit.weights.bundled_encoder import is_described

BUNDLE = "weights="
GROUPS = {"audio": "audio_encoder", "identity": "face_encoder"}


def advice(error: OtherEncoderError, folder: str | None = None) -> str:
    """The refusal, and which words to add to this call, or to that which made the store.

    `folder` holds the user's own groups (`-cd FOLDER`).
    """
    group = GROUPS.get(error.feature, "")
    here, there = (choice(group, encoder, folder) for encoder in (error.stored, error.wanted))
    if there.startswith(BUNDLE):
        return f"{error.found}; make the store's anew by calling what made it with `{there}`."
    if not here or not there or here.startswith(BUNDLE):
        return str(error)
    return f"{error.found}; add `{here}` to this call, or make the store's anew by calling what made it with `{there}`."


def choice(group: str, encoder: Encoder, folder: str | None = None) -> str:
    """`group=option`, then `group.key=value` for what differs from that option; empty when nothing fits.

    For an encoder out of a bundle it is `weights=BUNDLE`.
    """
    if is_described(encoder.config):
        return f"{BUNDLE}{(encoder.config or {})['bundle']}"
    found: list[list[str]] = []
    for option, values in _options(group, folder):
        known = Encoder.of(values)
        if known == encoder:
            return f"{group}={option}"
        config = encoder.config or {}
        if config.get("_target_") == values.get("_target_") and set(config) <= set(values):
            differing = [key for key in config if config[key] != values[key]]
            found.append([f"{group}={option}", *(f"{group}.{key}={_typed(config[key])}" for key in differing)])
    return " ".join(sorted(found, key=len)[0]) if found else ""


def _options(group: str, folder: str | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for root in (conf_dir(), *([Path(folder)] if folder else [])):
        for path in sorted((root / group).glob("*.yaml")) if group else ():
            values = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
            if isinstance(values, dict) and "defaults" not in values:
                yield path.stem, {str(key): value for key, value in values.items()}


def _typed(value: Any) -> str:
    """As YAML on one line."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value).replace("'", "")
