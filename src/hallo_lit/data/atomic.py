"""Files that exist whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hallo_lit.errors import UserError

HIDDEN = ".part-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a hidden sibling to write to; it takes the place of `path` when the block ends well, else it is removed.

    The bytes reach the disk before the name does, so neither a killed process nor a power cut leaves half a file.

    Raises:
        UserError: the disk is full, the folder cannot be written, or a file that the block wants is not there.
    """
    part = path.with_name(f"{HIDDEN}{secrets.token_hex(6)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> UserError:
    """The sentence for a write that failed."""
    if error.errno in _FULL:
        return UserError(
            f"No space left to write {path}; free some space and start again: whatever was finished is kept."
        )
    about = f" {error.filename}" if error.filename and Path(error.filename) != path else ""
    return UserError(f"{path} cannot be written ({error.strerror or error}{about}); choose another folder.")
