"""The grid of guidance scales on the small model."""

from __future__ import annotations

from pathlib import Path

from hallo_lit.evaluation.figures.base import read_description
from hallo_lit.evaluation.figures.guidance import GuidanceGrid
from hallo_lit.evaluation.figures.scene import Scene


def test_both_scales_matter(scene: Scene, tmp_path: Path) -> None:
    numbers = read_description(GuidanceGrid([1, 3], [1, 2]).draw(scene, tmp_path))["numbers"]
    cells = numbers["scales"]
    assert list(cells) == ["audio 1, image 1", "audio 1, image 2", "audio 3, image 1", "audio 3, image 2"]
    assert len({cell["lips_move"] for cell in cells.values()}) == 4
    assert all(cell["surroundings_differ"] > 0 for cell in cells.values())
