"""Where the networks run, and in which precision."""

from __future__ import annotations

import torch

from hallo_lit.errors import UserError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(name: str) -> torch.device:
    """auto takes the first of CUDA, MPS and CPU that is there.

    Raises:
        UserError: the name is unknown or the device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _mps() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise UserError(f"device={name} is not known; use auto, cpu, cuda, cuda:1 or mps.") from error
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise UserError(f"device={name} is not there: PyTorch sees {count} CUDA devices; use device=auto.")
    elif device.type == "mps" and not _mps():
        raise UserError("device=mps is not there: PyTorch sees no Apple GPU; use device=auto.")
    elif device.type not in ("cpu", "mps"):
        raise UserError(f"device={name} is not supported; use auto, cpu, cuda, cuda:1 or mps.")
    return device


def pick_precision(name: str) -> torch.dtype:
    """
    Raises:
        UserError: the name is unknown.
    """
    if name not in PRECISIONS:
        raise UserError(f"precision={name} is not known; choose one of {', '.join(PRECISIONS)}.")
    return PRECISIONS[name]


def _mps() -> bool:
    return torch.backends.mps.is_available()
