"""Which encoders made the features of a store, so that a store of another encoder is never used by mistake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from hallo_lit.data.atomic import replacing
from hallo_lit.data.features import FEATURES
from hallo_lit.errors import UserError

FORMAT = "hallo_lit clip store"
VERSION = 1
PLACES = ("device", "bundle")  # keys of an encoder that say where it runs or lies, and not what it computes


def config_hash(config: Mapping[str, Any]) -> str:
    """16 hex digits that change when any value of the configuration does; the order of its keys does not matter."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _held(weights: Any) -> str | None:
    """The hash of a file of weights; None for what is no file."""
    if not isinstance(weights, str) or not (path := Path(weights)).is_file():
        return None
    found = path.stat()
    return _hash_of(str(path.absolute()), found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=16)
def _hash_of(path: str, changed: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Encoder:
    """What made a feature: a name to show and the hash of its configuration, which alone tells two of them apart."""

    name: str
    config_hash: str
    config: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)  # where it is known

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Encoder:
        """From an encoder's configuration (its yaml); the name is the class in `_target_`.

        A file in `weights` counts by what it holds, wherever it lies; a name that is no file (a hub id) by its text.
        The device does not count, nor where a bundle lies, whose hash says more.
        """
        words = str(config.get("_target_", "encoder")).split(".")
        name = next((word for word in reversed(words) if word[:1].isupper()), words[-1])
        counted = {key: value for key, value in config.items() if key not in PLACES}
        if (weights := _held(counted.get("weights"))) is not None:
            counted["weights"] = weights
        elif counted.get("weights", "") is None:  # none given is as none asked for
            del counted["weights"]
        return cls(name, config_hash(counted), dict(config))

    @property
    def pair(self) -> tuple[str, str]:
        """What clips and the index keep of it."""
        return self.name, self.config_hash

    def __str__(self) -> str:
        return f"{self.name} ({self.config_hash[:8]})"


class OtherEncoderError(UserError):
    """Features that another encoder made than the one that is configured."""

    def __init__(self, where: str, feature: str, stored: Encoder, wanted: Encoder) -> None:
        """`where` names the store and says how many of its clips it is about."""
        self.found = f"{where} hold {feature} features of {stored}, but {wanted} is configured"
        super().__init__(
            f"{self.found}; run `hallo-lit preprocess` on it with this encoder, or configure the other one."
        )
        self.where, self.feature, self.stored, self.wanted = where, feature, stored, wanted

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.where, self.feature, self.stored, self.wanted)


@dataclass(frozen=True)
class StoreSpec:
    """What every clip of a store shall hold and what makes it."""

    features: tuple[str, ...] = ()  # which of FEATURES each clip shall have
    encoders: Mapping[str, Encoder] = field(default_factory=dict)  # by feature; features made by no encoder have none

    def __post_init__(self) -> None:
        unknown = sorted({*self.features, *self.encoders} - set(FEATURES))
        if unknown:
            raise UserError(f"A store has no feature named {', '.join(unknown)}; it knows {', '.join(FEATURES)}.")

    def missing(self, present: frozenset[str], encoders: Mapping[str, Encoder]) -> frozenset[str]:
        """The features to compute for a clip that has `present`, made by `encoders`: absent ones and stale ones."""
        stale = {f for f in present if f in self.encoders and encoders.get(f) != self.encoders[f]}
        return frozenset(set(self.features) - present | stale)

    def save(self, root: Path) -> None:
        record = {
            "format": FORMAT,
            "version": VERSION,
            "features": list(self.features),
            "encoders": {
                feature: {"name": made.name, "config_hash": made.config_hash, "config": made.config}
                for feature, made in self.encoders.items()
            },
        }
        with replacing(root / "store.json") as part:
            part.write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, root: Path) -> StoreSpec:
        """Reads `store.json`.

        Raises:
            UserError: the folder is no store, or one of a newer format, or its description is damaged.
        """
        path = root / "store.json"
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise ValueError(record["format"])
            version = int(record["version"])
            made = record["encoders"].items()
            encoders = {f: Encoder(e["name"], e["config_hash"], e.get("config")) for f, e in made}
            features = tuple(record["features"])
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(
                f"{root} is not a clip store (no store.json); make one with `hallo-lit preprocess`."
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path} does not describe a clip store; restore it or make the store again.") from error
        if version > VERSION:
            raise UserError(f"{root} was written by a newer version (format {version}); update hallo_lit to read it.")
        return cls(features, encoders)
