"""Sheets of pictures and colours."""

from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.evaluation.figures.heat import colours, common_top, over, scale_bar
from hallo_lit.evaluation.figures.sheet import Cell, Sheet, captioned

RED = np.full((20, 30, 3), (255, 0, 0), np.uint8)


def red(page: np.ndarray) -> int:
    return int((page == (255, 0, 0)).all(-1).sum())


def test_every_cell_is_shown_whole() -> None:
    page = Sheet(
        "Title", ["a", "b"], ["one", "two\nlines"], [[Cell(RED), Cell(RED, "note")], [None, Cell(RED)]], 40
    ).draw()
    assert red(page) == 3 * 40 * 60
    assert (page[:, 0] == 255).all()


def test_long_titles_and_notes_get_their_room() -> None:
    narrow = Sheet("T", ["a", "b"], ["r"], [[Cell(RED), Cell(RED)]], 40).draw()
    wide = Sheet("T", ["a", "b"], ["r"], [[Cell(RED, "a note that is wider than its picture"), Cell(RED)]], 40).draw()
    assert wide.shape[1] > narrow.shape[1]
    assert wide.shape[0] > narrow.shape[0]
    assert red(wide) == red(narrow)


def test_a_long_caption_takes_several_lines() -> None:
    page = np.zeros((30, 600, 3), np.uint8)
    short, long = captioned(page, "word", "origin"), captioned(page, "word " * 60, "origin")
    assert short.shape[1] == long.shape[1] == 600
    assert long.shape[0] > short.shape[0] + 3 * 15


def test_colours_brighten_with_the_value() -> None:
    row = colours(np.linspace(0, 2, 9)[None], 1.0).astype(int).sum(-1)[0]
    assert (np.diff(row[:5]) > 0).all()
    assert len(set(row[4:])) == 1  # beyond the end of the scale


def test_nothing_is_darkest() -> None:
    assert (colours(np.zeros((2, 2)), 0.0) == colours(np.zeros((1, 1)), 1.0)).all()


def test_heat_is_laid_over_the_photo() -> None:
    values = np.zeros((4, 4))
    values[:, 2:] = 1
    shown = over(RED, values, 1.0).astype(int).sum(-1)
    assert shown.shape == (20, 30)
    assert shown[:, -5:].mean() > 2 * shown[:, :5].mean()


def test_one_scale_serves_several_maps() -> None:
    assert common_top([np.full((9, 9), 1.0), np.full((9, 9), 3.0)]) == pytest.approx(3)
    assert common_top([]) == 0
    assert scale_bar(3.0, "px").shape[2] == 3
