"""The table of a store's clips: columns in one file, refreshed from the clip files the way git refreshes its index.

The clip files are the truth; the index only saves opening them. A clip whose size and time stamp are unchanged keeps
its row, all others are read again, so an interrupted run loses nothing and several writers need no lock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from hallo_lit.data.atomic import HIDDEN, replacing
from hallo_lit.data.clip_file import ClipHeader, read_header
from hallo_lit.data.spec import Encoder
from hallo_lit.errors import UserError

FILE = "index.safetensors"
SPLITS = ("", "train", "test")
_TEXTS = ("source", "identity")
_COLUMNS = (
    *("id", "frames", "fps", "size", "split", "profile", "bytes", "changed"),
    *_TEXTS,
    *(f"{name}_end" for name in _TEXTS),
)
Stamp = tuple[int, int]  # bytes, time of change in ns


@dataclass(frozen=True)
class Row:
    """One clip as the index knows it."""

    id: str
    stamp: Stamp
    source: str
    identity: str
    frames: int
    fps: float
    size: tuple[int, int]
    split: str
    features: frozenset[str]
    encoders: dict[str, Encoder]

    @classmethod
    def of(cls, id: str, stamp: Stamp, header: ClipHeader) -> Row:
        h = header
        features, encoders = frozenset(h.features), dict(h.encoders)
        return cls(id, stamp, h.source, h.identity, h.frames, h.fps, h.size, h.split, features, encoders)


def _profile(row: Row) -> dict[str, Any]:
    made_by = {feature: encoder.pair for feature, encoder in sorted(row.encoders.items())}
    return {"features": sorted(row.features), "encoders": made_by}


class Index:
    """Columns over clips sorted by id; rows are made when asked for."""

    def __init__(self, columns: dict[str, np.ndarray], profiles: list[dict[str, Any]]) -> None:
        self.columns, self.profiles = columns, profiles

    def __len__(self) -> int:
        return len(self.columns["frames"])

    def id(self, row: int) -> str:
        return self.columns["id"][row].tobytes().hex()

    def text(self, column: str, row: int) -> str:
        """An entry of `source` or `identity`."""
        ends = self.columns[f"{column}_end"]
        begin = int(ends[row - 1]) if row else 0
        blob = self.columns[column][begin : int(ends[row])]
        return blob.tobytes().decode("utf-8", "surrogatepass")

    def stamp(self, row: int) -> Stamp:
        return int(self.columns["bytes"][row]), int(self.columns["changed"][row])

    def profile(self, row: int) -> tuple[frozenset[str], dict[str, Encoder]]:
        """Features a clip has, and their encoders."""
        record = self.profiles[int(self.columns["profile"][row])]
        return frozenset(record["features"]), {f: Encoder(*pair) for f, pair in record["encoders"].items()}

    def __getitem__(self, row: int) -> Row:
        column = self.columns
        height, width = (int(side) for side in column["size"][row])
        return Row(
            self.id(row),
            self.stamp(row),
            self.text("source", row),
            self.text("identity", row),
            int(column["frames"][row]),
            float(column["fps"][row]),
            (height, width),
            SPLITS[int(column["split"][row])],
            *self.profile(row),
        )

    @classmethod
    def build(cls, rows: Sequence[Row]) -> Index:
        rows = sorted(rows, key=lambda row: row.id)
        profiles: dict[str, int] = {}
        texts = [json.dumps(_profile(row)) for row in rows]
        columns: dict[str, np.ndarray] = {
            "id": np.array([list(bytes.fromhex(r.id)) for r in rows], np.uint8).reshape(-1, 16),
            "frames": np.array([r.frames for r in rows], np.int32),
            "fps": np.array([r.fps for r in rows], np.float64),
            "size": np.array([r.size for r in rows], np.int32).reshape(-1, 2),
            "split": np.array([SPLITS.index(r.split) for r in rows], np.uint8),
            "profile": np.array([profiles.setdefault(text, len(profiles)) for text in texts], np.int32),
            "bytes": np.array([r.stamp[0] for r in rows], np.int64),
            "changed": np.array([r.stamp[1] for r in rows], np.int64),
        }
        for name in _TEXTS:
            words = [getattr(r, name).encode("utf-8", "surrogatepass") for r in rows]
            columns[name] = np.frombuffer(b"".join(words), np.uint8)
            columns[f"{name}_end"] = np.cumsum([len(word) for word in words], dtype=np.int64)
        return cls(columns, [json.loads(text) for text in profiles])

    def save(self, root: Path) -> None:
        blob = save(self.columns, {"profiles": json.dumps(self.profiles)})
        with replacing(root / FILE) as part:
            part.write_bytes(blob)

    @classmethod
    def load(cls, root: Path) -> Index | None:
        """None when there is no readable index, which `refresh` mends."""
        try:
            with safe_open(root / FILE, framework="np") as file:
                index = cls({name: file.get_tensor(name) for name in _COLUMNS}, json.loads(file.metadata()["profiles"]))
            rows = {len(index.columns[name]) for name in _COLUMNS if name not in _TEXTS}
            return index if len(rows) == 1 else None
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None


def clip_path(root: Path, id: str, suffix: str = ".safetensors") -> Path:
    """Where a clip lies: the name is made of hex digits alone, so no path can leave the store."""
    if len(id) != 32 or not set(id) <= set("0123456789abcdef"):
        raise UserError(f"{id!r} is no clip id: 32 hex digits are needed (see content_id).")
    return root / "clips" / id[:2] / f"{id}{suffix}"


def clips_on_disk(root: Path) -> Iterator[tuple[str, Stamp]]:
    """Ids and stamps of all whole clip files, without opening them; links are not followed."""
    try:
        folders = [entry.path for entry in os.scandir(root / "clips") if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return
    for folder in sorted(folders):
        for entry in os.scandir(folder):
            id, suffix = os.path.splitext(entry.name)
            if suffix == ".safetensors" and not id.startswith(HIDDEN) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield id, (status.st_size, status.st_mtime_ns)


def refresh(root: Path, old: Index | None) -> tuple[Index, list[str]]:
    """The index of what is on disk, and one sentence for each clip that cannot be read and is left out."""
    known = {old.id(row): row for row in range(len(old))} if old else {}
    rows, faults = [], []
    for id, stamp in clips_on_disk(root):
        if old is not None and id in known and old.stamp(known[id]) == stamp:
            rows.append(old[known[id]])
            continue
        try:
            rows.append(Row.of(id, stamp, read_header(clip_path(root, id))))
        except UserError as error:
            faults.append(str(error))
    return Index.build(rows), faults
