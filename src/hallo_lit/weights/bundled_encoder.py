"""An encoder inside a bundle, as configurations name it: for stores made for a model, and for training it further."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256 as digest_of
from pathlib import Path, PurePosixPath
from typing import Any

from hallo_lit.errors import UserError
from hallo_lit.weights.bundle import inside, load_encoder, open_bundle

TARGET = f"{__name__}.bundled_encoder"


def described(where: str | Path, name: str) -> dict[str, str] | None:
    """What `factory.build` makes the encoder `name` of a bundle from; None where the bundle has none.

    Its hash is that of the encoder's configuration and files, so other bundles with the same encoder give the same one.

    Raises:
        UserError: see `open_bundle`.
    """
    _, config, index = open_bundle(where)
    if config.get(name) is None:
        return None
    bundle = str(Path(where).expanduser().absolute()) if Path(where).expanduser().is_dir() else str(where)
    return {"_target_": TARGET, "bundle": bundle, "name": name, "sha256": _digest(name, config, index)}


def bundled_encoder(bundle: str, name: str, sha256: str) -> Any:
    """The encoder that `described` describes.

    Raises:
        UserError: the bundle is not there any more, or is another one.
    """
    folder, config, index = open_bundle(bundle)
    if config.get(name) is None or _digest(name, config, index) != sha256:
        raise UserError(f"{bundle} holds another {name} than before; give the bundle that was used then.")
    return load_encoder(name, folder, config, index)


def original(config: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The encoder's configuration without the bundle around it, files by their full paths, and the encoder itself.

    Raises:
        UserError: see `bundled_encoder`.
    """
    made = bundled_encoder(config["bundle"], config["name"], config["sha256"])
    folder, known, _ = open_bundle(config["bundle"], check=False)
    return inside(known[config["name"]], folder), made


def is_described(config: Any) -> bool:
    """Whether a configuration is one that `described` gave."""
    return isinstance(config, Mapping) and config.get("_target_") == TARGET


def _digest(name: str, config: Mapping[str, Any], index: Mapping[str, str]) -> str:
    files = {file: hash for file, hash in index.items() if PurePosixPath(file).parts[0].split(".")[0] == name}
    return digest_of(json.dumps([config[name], files], sort_keys=True).encode()).hexdigest()
