"""Position tables are the one thing in a checkpoint that can be computed, so they are compared with the formula."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.weights.matching import Match

TABLE = ".pos_embed.pe"
TOLERANCE = 5e-3  # of half precision, generously


def sinusoids(length: int, width: int) -> Tensor:
    """(1, length, width): sine in even and cosine in odd columns, base 10 000."""
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10_000.0) / width))
    angle = torch.arange(length, dtype=torch.float64)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[None].float()


def check_positions(made: Match, path: Path) -> None:
    """
    Raises:
        UserError: a table holds something else, so the temporal parts would read the wrong order of frames.
    """
    for part in made.parts.values():
        for name, table in part.state.items():
            if name.endswith(TABLE) and (table.float() - sinusoids(*table.shape[1:])).abs().max() > TOLERANCE:
                raise UserError(f"{path}: {part.origin[name]} is no table of sinusoids; the file is damaged.")
