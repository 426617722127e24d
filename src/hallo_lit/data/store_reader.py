"""Reading a clip store: opening costs one file, reading costs the rows asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hallo_lit.data.clip_file import ClipHeader, open_clip, read_header
from hallo_lit.data.index import SPLITS, Index, Row, clip_path, refresh
from hallo_lit.data.spec import Encoder, OtherEncoderError, StoreSpec
from hallo_lit.errors import UserError


@dataclass(frozen=True)
class StoredClip:
    """A handle on one clip; nothing is read until asked for, and only what is asked for."""

    root: Path
    row: Row

    @property
    def path(self) -> Path:
        return clip_path(self.root, self.row.id)

    @property
    def video(self) -> Path:
        """The cropped mp4, for clips that have the feature `video`."""
        return clip_path(self.root, self.row.id, ".mp4")

    def header(self) -> ClipHeader:
        return read_header(self.path)

    def read(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Rows [start, stop) of a tensor, as many of them as there are; only these are read from the disk.

        Raises:
            UserError: the clip has no such tensor, or its file is damaged or gone.
        """
        with open_clip(self.path) as file:
            if name not in file.keys():  # noqa: SIM118 - not a dict
                raise UserError(f"{self.path} has no {name}; run preprocess with that feature asked for.")
            rows = file.get_slice(name)
            length = rows.get_shape()[0]
            return np.asarray(rows[start : length if stop is None else min(stop, length)])


def soundless(header: ClipHeader) -> bool:
    """Was the clip cut from a video without sound?"""
    about = header.metadata.get("preprocess")
    measured = about.get("measured") if isinstance(about, Mapping) else None
    return "audio" not in header.features and isinstance(measured, Mapping) and measured.get("sound") == 0


class ClipStore:
    """Reads a store; opening costs one file, whatever the number of clips.

    Raises:
        UserError: no store, an empty one, or one of a newer format.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.spec = StoreSpec.load(self.root)
        self.index = Index.load(self.root) or refresh(self.root, None)[0]
        if not len(self.index):
            raise UserError(f"The store {self.root} has no clips; see its report.jsonl for what was rejected and why.")

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, row: int) -> StoredClip:
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return StoredClip(self.root, self.index[row % len(self)])

    def __iter__(self) -> Iterator[StoredClip]:
        return (self[row] for row in range(len(self)))

    def source(self, row: int) -> str:
        """Name of the recording a clip was cut from."""
        return self.index.text("source", row)

    def identity(self, row: int) -> str:
        """Name of the person in a clip."""
        return self.index.text("identity", row)

    def split(self, row: int) -> str:
        """`train`, `test`, or empty when the store leaves it open."""
        return SPLITS[int(self.index.columns["split"][row])]

    def has(self, feature: str) -> bool:
        """Do all clips have it?"""
        return all(feature in profile["features"] for profile in self.index.profiles)

    def require(self, features: Sequence[str] = (), encoders: Mapping[str, Encoder] | None = None) -> None:
        """Refuses a store that lacks a feature in any clip, or whose features another encoder made, in one sentence.

        Raises:
            UserError: see above.
        """
        wanted = StoreSpec(tuple(features), dict(encoders or {}))
        for code, profile in enumerate(self.index.profiles):
            present, made_by = frozenset(profile["features"]), {f: Encoder(*e) for f, e in profile["encoders"].items()}
            count = int((self.index.columns["profile"] == code).sum())
            for feature in sorted(wanted.missing(present, made_by)):
                if feature not in present:
                    if feature == "audio" and (silent := self._soundless(code)):
                        raise UserError(
                            f"{silent} of {len(self)} clips in {self.root} have no sound and so no audio features; run "
                            "`hallo-lit preprocess` on it with filters.sound=required, which takes them out, or train "
                            "the appearance alone, which needs none (data.samples.audio=false)."
                        )
                    raise UserError(
                        f"{count} of {len(self)} clips in {self.root} have no {feature}; "
                        f"run `hallo-lit preprocess` on it with {feature} switched on."
                    )
                stored, own = made_by.get(feature, Encoder("an unnamed encoder", "")), self.spec.encoders.get(feature)
                where = f"{count} of {len(self)} clips in {self.root}"
                raise OtherEncoderError(where, feature, own if own == stored else stored, wanted.encoders[feature])

    def _soundless(self, profile: int) -> int:
        """How many clips of a profile have no sound; opens them."""
        rows = np.flatnonzero(self.index.columns["profile"] == profile)
        return sum(soundless(self[int(row)].header()) for row in rows)
