"""Reading and writing any file: inputs that are not there, outputs that are whole or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from hallo_lit.errors import UserError

_FULL = {
    ENOSPC: "the disk is full",
    EDQUOT: "your disk quota is used up",
    EFBIG: "it grew beyond what is allowed",
}


def check_readable(path: Path, kind: str) -> None:
    """Raises UserError unless `path` is a file with something in it; kind is the noun of the sentence."""
    try:
        if path.is_dir():
            raise UserError(f"{path} is a directory; give the {kind} file itself")
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; check the name of the {kind}") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise UserError(f"{path} cannot be opened ({error}); check the name and your permissions") from error
    if empty:
        raise UserError(f"{path} is empty (0 bytes); copy or export the {kind} again")


def check_writable(path: Path) -> None:
    """Raises UserError where a file at `path` could not be created; leaves nothing behind, so it may be asked early."""
    probe = _sibling(path)
    try:
        if path.is_dir():  # raises where the name is impossible, such as one too long
            raise UserError(f"cannot write {path}: it is a directory; give a file name")
        if not path.parent.exists():
            raise UserError(f"cannot write {path}: the directory {path.parent} does not exist; create it first")
        if not path.parent.is_dir():
            raise UserError(f"cannot write {path}: {path.parent} is not a directory; choose another place")
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> UserError:
    """The sentence for a failed write."""
    if error.errno in _FULL:
        return UserError(f"cannot write {path}: {_FULL[error.errno]}; free some space or choose another place")
    reason = (error.strerror or str(error)).lower()
    return UserError(f"cannot write {path}: {reason}; choose a place where you may write")


@contextmanager
def whole_file(path: Path, folder: Path | None = None) -> Iterator[Path]:
    """Yields a hidden file to write to; it becomes `path` on success and is gone after any exception.

    It lies beside `path`, or in another `folder` of the same disk, where whoever clears up after a killed process can
    find it. OSErrors of the block become UserErrors about `path`.
    """
    check_writable(path)
    part = _sibling(path if folder is None else folder / path.name)
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _sibling(path: Path) -> Path:
    return path.with_name(f".{path.stem[:32]}.{secrets.token_hex(4)}.part")
