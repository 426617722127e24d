from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.models.embeddings import SinusoidalPositionalEmbedding

from hallo_lit.errors import UserError
from hallo_lit.weights.formats import SOURCES
from hallo_lit.weights.keymap import Converted
from hallo_lit.weights.matching import Match
from hallo_lit.weights.positions import check_positions, sinusoids

NAME = "down.0.cells.0.temporal.blocks.0.pos_embed.pe"


def made(table: torch.Tensor) -> Match:
    return Match(SOURCES[0], 1, {"denoiser": Converted({NAME: table}, {NAME: "theirs.pe"})})


def test_the_formula_is_the_one_our_blocks_compute() -> None:
    assert torch.allclose(sinusoids(32, 24), SinusoidalPositionalEmbedding(24, 32).pe, atol=1e-6)


def test_half_precision_passes_and_anything_else_does_not() -> None:
    check_positions(made(sinusoids(32, 24).half()), Path("net.pth"))
    with pytest.raises(UserError, match=r"net\.pth: theirs\.pe is no table of sinusoids"):
        check_positions(made(sinusoids(32, 24).flip(1)), Path("net.pth"))
