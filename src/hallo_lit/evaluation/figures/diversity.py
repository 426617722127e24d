"""Figure 9: where and how much the face moves, split into what the head does and what the face does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.base import Figure, Painting
from hallo_lit.evaluation.figures.film import Film
from hallo_lit.evaluation.figures.flow import Motion, motion
from hallo_lit.evaluation.figures.heat import common_top, over, scale_bar
from hallo_lit.evaluation.figures.regions import region_masks
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.evaluation.figures.sheet import Cell, Sheet

HEIGHT = 192


class MotionMaps(Figure):
    """Rows: the model, the real video of the scene, and `videos` (name to file) of other methods on the same speech.

    seeds: how many videos of the model are compared with each other in the last column.
    """

    name: ClassVar[str] = "diversity"

    def __init__(self, seeds: int = 3, videos: Mapping[str, str] | None = None) -> None:
        if seeds < 1:
            raise UserError(f"seeds={seeds} of figure diversity: at least 1 is needed.")
        self.seeds, self.videos = seeds, dict(videos or {})

    def paint(self, scene: Scene) -> Painting:
        makers = [partial(scene.film, seed=scene.seed + i) for i in range(1, self.seeds)]
        ours = [scene.usual, *scene.films(makers)]
        rows: dict[str, list[Film]] = {"model": ours}
        if (real := scene.filmed()) is not None:
            rows["real"] = [real]
        rows |= {name: [Film.read(Path(path), scene.frames, scene.photo)] for name, path in self.videos.items()}
        faces = {name: [film.faces(HEIGHT) for film in films] for name, films in rows.items()}
        moved = {name: self._motion(scene, films[0]) for name, films in faces.items()}
        between = np.std([film.mean(3) for film in faces["model"]], axis=0).mean(0)
        top = common_top([field for m in moved.values() for field in (m.everything, m.head, m.face)])
        cells = []
        for name, films in faces.items():
            photo, m = films[0][0], moved[name]
            fields = (m.everything, m.head, m.face)
            row: list[Cell | None] = [Cell(photo), *(Cell(over(photo, f, top), f"{f.mean():.2f}") for f in fields)]
            if self.seeds > 1:
                last = Cell(over(photo, between, common_top([between])), f"{between.mean():.2f} levels")
                row.append(last if name == "model" else None)
            cells.append(row)
        columns = ["first frame", "all motion", "head", "expression", *["between seeds"][: self.seeds > 1]]
        sheet = Sheet("Motion", columns, list(rows), cells, HEIGHT, scale_bar(top, "% of the crop's height per second"))
        numbers = {name: m.means() for name, m in moved.items()} | {"between_seeds_levels": float(between.mean())}
        return Painting(sheet.draw(), self._says(scene, between), numbers)

    def _motion(self, scene: Scene, faces: NDArray[np.uint8]) -> Motion:
        masks = region_masks(scene.photo, (faces.shape[1], faces.shape[2]))
        return motion(faces, masks["face"] * (1 - masks["lip"]))

    def _says(self, scene: Scene, between: NDArray[np.float64]) -> str:
        says = (
            f"Speed of optical flow over {scene.frames} frames; head is the similarity transform that fits the flow of "
            "the face around the lips, expression what is left of it."
        )
        if self.seeds > 1:
            says += (
                f" Last column, on a scale of its own up to {common_top([between]):.1f}: standard deviation of grey "
                f"levels between {self.seeds} seeds, {between.mean():.2f} on average."
            )
        return says
