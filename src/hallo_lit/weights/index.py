"""SHA256SUMS: the list of a bundle's files and their hashes, in the format `sha256sum -c` reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from hallo_lit.errors import UserError

INDEX = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


def sha256(path: Path) -> str:
    """Hash of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def safe_name(name: str, where: Path) -> str:
    """`name` itself when it can only mean a file below the bundle.

    Raises:
        UserError: it is absolute, climbs out of the folder, or holds characters no bundle has.
    """
    if not _NAME.fullmatch(name) or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise UserError(f"{where} names the file {name!r}, which is not a plain name inside the bundle; do not use it.")
    return name


def write_index(folder: Path, names: Iterable[str]) -> str:
    """Hashes the files and writes the index; returns the index's own hash, which stands for the whole bundle."""
    named = sorted(safe_name(name, folder) for name in names)
    lines = [f"{digest}  {name}\n" for name, digest in zip(named, _hashes(folder, named), strict=True)]
    (folder / INDEX).write_text("".join(lines), encoding="utf-8")
    return sha256(folder / INDEX)


def read_index(folder: Path) -> dict[str, str]:
    """name -> hash, not yet compared with the files.

    Raises:
        UserError: the folder is no bundle, or its index is damaged or names files outside.
    """
    path = folder / INDEX
    if not path.is_file():
        raise UserError(f"{folder} is not a bundle: it has no {INDEX}; make one with `hallo-lit weights import`.")
    found: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}); get the bundle again.") from error
    for line in filter(None, lines):
        match = _LINE.fullmatch(line)
        if match is None:
            raise UserError(f"{path} is damaged at {line[:60]!r}; get the bundle again.")
        found[safe_name(match[2], path)] = match[1]
    if not found:
        raise UserError(f"{path} is empty; get the bundle again.")
    return found


def verify(folder: Path, index: dict[str, str]) -> None:
    """Compares every file with its hash.

    Raises:
        UserError: files are missing or altered; every one is named.
    """
    missing = [name for name in index if not (folder / name).is_file()]
    if missing:
        raise UserError(f"Bundle {folder} lacks {', '.join(missing)}; get the bundle again, whole.")
    found = zip(index, _hashes(folder, list(index)), strict=True)
    altered = [name for name, digest in found if digest != index[name]]
    if altered:
        raise UserError(
            f"Bundle {folder} is altered: {', '.join(altered)} has not the hash in {INDEX}; "
            f"get the bundle again, or write it anew if you changed it yourself."
        )


def _hashes(folder: Path, names: list[str]) -> list[str]:
    with ThreadPoolExecutor() as pool:  # hashing leaves Python's lock
        return list(pool.map(lambda name: sha256(folder / name), names))
