"""What earlier runs found out, so that nothing is done twice: small files in STORE/preprocess, each whole or absent."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hallo_lit.data.atomic import replacing


class Records:
    """Drawers of files named by hex keys.

    inputs: report lines; contents: who owns a content and what became of it; facts: of a whole file; analyses: of a
    content; clips: measured values; thumbs: pictures for the report; locks.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / "preprocess"

    def path(self, drawer: str, key: str, suffix: str = ".json") -> Path:
        """Keys are hashes, so that no name leaves the store; two digits of each make the folders."""
        if not key or set(key) - set("0123456789abcdef"):
            raise ValueError(f"{key!r} is no hash")
        return self.folder / drawer / key[:2] / f"{key}{suffix}"

    def load(self, drawer: str, key: str) -> dict[str, Any] | None:
        """None when absent, or written by a disk that failed: it is then made again."""
        try:
            record = json.loads(self.path(drawer, key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) else None

    def save(self, drawer: str, key: str, record: Mapping[str, Any]) -> None:
        with replacing(self.path(drawer, key)) as part:
            part.write_text(json.dumps(record, separators=(",", ":")), encoding="utf-8")

    def remove(self, drawer: str, key: str) -> None:
        self.path(drawer, key).unlink(missing_ok=True)

    def save_bytes(self, drawer: str, key: str, suffix: str, content: bytes) -> None:
        with replacing(self.path(drawer, key, suffix)) as part:
            part.write_bytes(content)

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """One process at a time works on a key, also among several runs; a killed one lets go by itself.

        File systems without locks let everybody in: then work may be done twice, but nothing breaks.
        """
        path = self.path("locks", key, ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
