"""Plots of a sweep."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from hallo_lit.errors import UserError
from hallo_lit.evaluation.sweeps.drawing import draw
from hallo_lit.evaluation.sweeps.pooling import Pooled, pool
from hallo_lit.evaluation.sweeps.sweep import Sweep
from hallo_lit.evaluation.table import Column
from hallo_lit.media.image import read_image

from .made import COLUMNS, result

SHOWN = [Column(*column) for column in COLUMNS.items()]


def grid() -> list[Pooled]:
    results = [result([f"a={a}", f"b={b}"], psnr=a + b, jitter=a * b) for a in (1, 2, 3.5) for b in (1, 2)]
    return pool(results, Sweep())


@pytest.mark.parametrize("plot", ["dots", "lines", "grid"])
def test_every_plot_is_a_picture(plot: Any, tmp_path: Path) -> None:
    draw(tmp_path / "plot.png", plot, grid(), SHOWN, {}, "Title")
    picture = read_image(tmp_path / "plot.png")
    assert picture.shape[1] > 400
    assert picture.std() > 10


def test_rows_that_do_not_suit_a_plot_are_said(tmp_path: Path) -> None:
    rows = pool([result([f"fusion={name}"], psnr=1.0) for name in "ab"], Sweep())
    with pytest.raises(UserError, match="plot=dots"):
        draw(tmp_path / "plot.png", "grid", rows, SHOWN, {}, "Title")
    assert not (tmp_path / "plot.png").exists()


def test_without_matplotlib_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "matplotlib":
            raise ModuleNotFoundError(name)
        return known(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match="pip install"):
        draw(tmp_path / "plot.png", "dots", grid(), SHOWN, {}, "Title")
