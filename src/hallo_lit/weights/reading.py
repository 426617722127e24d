"""Reads foreign weight files without running anything in them and without copying their tensors into memory."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hallo_lit.errors import UserError

AGAIN = "download it again"
ENDINGS = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")
WRAPPERS = ("state_dict", "module", "model", "params_ema", "params")


def read_state(path: Path) -> dict[str, Tensor]:
    """The state dict in a safetensors or torch file; its tensors are views of the mapped file where possible.

    Raises:
        UserError: the file is missing, empty, truncated, not weights, or wants to run code.
    """
    kind = sniff(path)
    if kind == "safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise UserError(f"{path} is truncated or damaged ({_short(error)}); {AGAIN}.") from error
    if kind == "onnx":
        raise UserError(f"{path} is an ONNX model, which holds no weights by name; only the face encoder is read so.")
    return unwrap(_torch_load(path, kind), path)


def sniff(path: Path) -> str:
    """`safetensors`, `zip`, `pickle` or `onnx`, by content and not by name.

    Raises:
        UserError: it is none of these; the sentence says what it is instead.
    """
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix in ENDINGS)
        hint = f"give a file in it, such as {path / inside[0]}" if inside else "give a weight file"
        raise UserError(f"{path} is a folder; {hint}.")
    if not path.is_file():
        raise UserError(f"{path} does not exist; check the name, or see `hallo-lit weights list` for what to download.")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    if not head:
        raise UserError(f"{path} is empty; {AGAIN}.")
    text = head.lstrip()[:512].lower()
    if head.startswith(b"version https://git-lfs"):
        raise UserError(f"{path} is a git-lfs pointer and not the file itself; run `git lfs pull` where it came from.")
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise UserError(f"{path} is a web page and not weights; the download went to a login or error page: {AGAIN}.")
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") < 100_000_000:
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    if head[:1] == b"\x08" and head[2:3] in (b"\x12", b"\x1a", b":", b"B", b"*", b"2"):
        return "onnx"
    raise UserError(f"{path} is neither safetensors nor a torch checkpoint nor ONNX; give the file itself, unpacked.")


def _torch_load(path: Path, kind: str) -> object:
    if kind == "zip":
        _check_archive(path)
    try:
        return torch.load(path, weights_only=True, map_location="cpu", mmap=kind == "zip")
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted or "weights_only" in str(error).lower():
            what = f"({wanted[1].rstrip('.,')})" if wanted else "than tensors"
            raise UserError(
                f"{path} is a pickle that wants to run more {what}, which could be any code; it is not opened: "
                f"ask its author for a safetensors file."
            ) from error
        raise UserError(f"{path} is truncated or damaged ({_short(error)}); {AGAIN}.") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise UserError(f"{path} is truncated or damaged ({_short(error)}); {AGAIN}.") from error


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(f"{path} is truncated: the end of the archive is missing; {AGAIN}.") from error
    if any(name.endswith("constants.pkl") for name in names) and any("/code/" in name for name in names):
        raise UserError(f"{path} is a TorchScript program and not a state dict; give the checkpoint it was made from.")
    if not any(name.endswith("data.pkl") for name in names):
        inside = next((name for name in names if name.endswith((*ENDINGS, ".onnx"))), None)
        hint = f"unpack it and give {inside}" if inside else "unpack it and give the weight file"
        raise UserError(f"{path} is a zip archive and not a checkpoint; {hint}.")


def unwrap(found: object, path: Path) -> dict[str, Tensor]:
    """The state dict itself, out of `{"state_dict": …}` and without the `module.` of data-parallel training."""
    while isinstance(found, Mapping) and not any(isinstance(value, Tensor) for value in found.values()):
        inner: Any = next((found[key] for key in WRAPPERS if isinstance(found.get(key), Mapping)), None)
        if inner is None:
            break
        found = inner
    if not isinstance(found, Mapping) or not any(isinstance(value, Tensor) for value in found.values()):
        raise UserError(f"{path} holds no state dict (a {type(found).__name__} without tensors); give a checkpoint.")
    state = {str(name): value for name, value in found.items()}
    others = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if others:
        raise UserError(f"{path} holds more than tensors ({', '.join(others[:4])}); give the state dict alone.")
    if all(name.startswith("module.") for name in state):
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return state


def _short(error: BaseException) -> str:
    line = str(error).strip().split("\n")[0]
    return line if len(line) <= 120 else f"{line[:117]}..."
