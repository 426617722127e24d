"""Files that exist whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hallo_lit.errors import UserError

HIDDEN = ".part-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a hidden sibling to write to; it takes the place of `path` when the block ends well, else it is removed.

    The bytes reach the disk before the name does, so neither a killed process nor a power cut leaves half a file.

    Raises:
        UserError: the disk is full, or the folder cannot be written.
    """
    part = path.with_name(f"{HIDDEN}{secrets.token_hex(6)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise UserError(
                f"No space left to write {path}; free some space and start again: whatever was finished is kept."
            ) from error
        if error.errno in _CLOSED:
            raise UserError(f"{path} may not be written ({error.strerror}); choose another folder.") from error
        raise
    except BaseException:
        part.unlink(missing_ok=True)
        raise
