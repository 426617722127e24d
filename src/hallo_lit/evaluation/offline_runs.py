"""What W&B wrote to disk without a network: names, settings and last values of runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hallo_lit.errors import UserError


@dataclass(frozen=True)
class OfflineRun:
    """
    Attributes:
        name: of a sweep's row its overrides, such as "fusion=gated,seed=0".
        config: by W&B's own keys.
        values: the last number logged under each name.
    """

    path: Path
    name: str = ""
    group: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


def offline_runs(folder: str | Path, group: str | None = None) -> list[OfflineRun]:
    """The runs below a folder, oldest first; only those of `group` if one is given.

    Raises:
        UserError: there are none, or W&B is not installed.
    """
    paths = sorted(Path(folder).rglob("run-*.wandb"), key=lambda path: path.stat().st_mtime)
    found = [run for run in map(read_run, paths) if group is None or run.group == group]
    if not found:
        raise UserError(f"{folder} holds no offline runs of W&B" + (f" in group {group}." if group else "."))
    return found


def read_run(path: Path) -> OfflineRun:
    """One run-*.wandb file; of a run that was killed, what reached the disk.

    Raises:
        UserError: the file is none of W&B's.
    """
    name = group = ""
    config: dict[str, Any] = {}
    values: dict[str, float] = {}
    for record in _records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            name, group = record.run.display_name or name, record.run.run_group or group
            config |= _plain(record.run.config.update)
        elif kind == "config":
            config |= _plain(record.config.update)
        elif kind in ("history", "summary"):
            items = record.history.item if kind == "history" else record.summary.update
            values |= {key: float(v) for key, v in _plain(items).items() if isinstance(v, (int, float))}
    told = ({key: value for key, value in part.items() if not key.startswith("_")} for part in (config, values))
    return OfflineRun(path, name, group, *told)


def _records(path: Path) -> Iterator[Any]:
    try:
        from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]  # made at import
        from wandb.sdk.internal.datastore import DataStore
    except ImportError as error:
        raise UserError("Reading offline runs needs W&B: pip install wandb.") from error
    store = DataStore()
    try:
        store.open_for_scan(str(path))
        while data := store.scan_data():
            record = Record()
            record.ParseFromString(data)
            yield record
    except AssertionError:  # the tail of a run that was killed
        return
    except Exception as error:
        raise UserError(f"{path} cannot be read as a run of W&B ({error}).") from error
    finally:
        if store._fp is not None:
            store._fp.close()


def _plain(items: Any) -> dict[str, Any]:
    """Keys may be nested: W&B writes either a key or a path of keys."""
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}
