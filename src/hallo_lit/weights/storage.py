"""Folders that exist whole or not at all, and safetensors written without a second copy in memory."""

from __future__ import annotations

import errno
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.weights.index import INDEX

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def new_folder(target: Path, overwrite: bool = False) -> Iterator[Path]:
    """Yields a hidden sibling to fill; it takes the name of `target` when the block ends well, else it is removed.

    Raises:
        UserError: `target` is in the way, the disk is full, or the place cannot be written.
    """
    target = target.absolute()
    check_place(target, overwrite)
    part = target.with_name(f".part-{secrets.token_hex(6)}")
    try:
        part.mkdir(parents=True)
        yield part
        if target.exists():
            old = target.with_name(f".old-{secrets.token_hex(6)}")
            target.rename(old)
            part.rename(target)
            shutil.rmtree(old)
        else:
            part.rename(target)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if error.errno in _FULL:
            raise UserError(f"No space left to write {target}; free some space and start again.") from error
        raise UserError(f"{target} cannot be written ({error.strerror or error}); choose another folder.") from error
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def check_place(target: Path, overwrite: bool = False) -> None:
    """An absent or empty folder may be filled, and a bundle be replaced on demand.

    Raises:
        UserError: something else is there.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / INDEX).is_file():
        raise UserError(f"{target} exists already and is no bundle; name another folder.")
    if not overwrite:
        raise UserError(f"{target} exists already; set overwrite=true to replace it, or name another folder.")


def save_tensors(
    path: Path, state: Mapping[str, Tensor], dtype: torch.dtype | None, metadata: Mapping[str, str]
) -> int:
    """Writes one safetensors file and returns its number of values; mapped tensors go from file to file.

    Only a change of `dtype` takes memory, as much as the new file is large.

    Raises:
        UserError: a tensor holds NaN or infinity, or would by becoming `dtype`.
    """
    made: dict[str, Tensor] = {}
    for name, tensor in state.items():
        kept = tensor.detach().cpu()
        kept = kept.to(dtype) if dtype is not None and kept.is_floating_point() else kept
        if kept.is_floating_point() and not bool(torch.isfinite(kept).all()):
            raise UserError(_not_finite(path.name, name, tensor, dtype))
        made[name] = kept.contiguous()
    path.touch()
    mode = path.stat().st_mode  # safetensors makes files that only their owner can read
    try:
        save_file(_unshared(made), path, metadata={"format": "pt", **metadata})
        _settle(path)
        path.chmod(mode)
    except Exception as error:  # safetensors reports a full disk with an exception class of its own
        if "os error 28" in str(error).lower() or "no space" in str(error).lower():
            raise OSError(errno.ENOSPC, "No space left on device") from error
        raise
    return sum(tensor.numel() for tensor in made.values())


def _settle(path: Path) -> None:
    """Puts the words about a file in order: safetensors shuffles them, and equal weights shall have equal hashes."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(size)
        if len(text) == size:
            file.seek(8)
            file.write(text)


def _unshared(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """safetensors refuses two names for one memory; the later names get their own copy."""
    seen: set[int] = set()
    for name, tensor in state.items():
        if tensor.numel() and tensor.data_ptr() in seen:
            state[name] = tensor.clone()
        seen.add(tensor.data_ptr())
    return state


def _not_finite(file: str, name: str, tensor: Tensor, dtype: torch.dtype | None) -> str:
    if bool(torch.isfinite(tensor).all()):
        return f"{name} holds values too large for {str(dtype).removeprefix('torch.')}; keep the weights in float32."
    return f"{name} holds NaN or infinite values, so {file} is not written; the training that made it has diverged."
