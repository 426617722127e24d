"""Figure 11: what the weights of lip, expression and pose do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from hallo_lit.evaluation.figures.base import Figure, Painting, check_values
from hallo_lit.evaluation.figures.film import Film
from hallo_lit.evaluation.figures.regions import TITLES, difference, most_changed, region_masks
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.evaluation.figures.sheet import Cell, Sheet
from hallo_lit.structs import REGIONS

SHOWN = ("lip", "face", "pose")


class WeightGrid(Figure):
    """One row per region whose weight takes the given values while the two others stay as the model has them.

    frame: which frame is shown; by default the one whose mouth differs most from the first.
    """

    name: ClassVar[str] = "weights"

    def __init__(self, values: Sequence[float] = (0, 0.5, 1, 1.5, 2), frame: int | None = None) -> None:
        self.values, self.frame = check_values("values", values), frame

    def paint(self, scene: Scene) -> Painting:
        usual = scene.usual.faces()
        masks = region_masks(scene.photo, (usual.shape[1], usual.shape[2]))
        at = most_changed(usual, masks["lip"]) if self.frame is None else min(self.frame, len(usual) - 1)
        plan = [(region, value) for region in SHOWN for value in self.values]
        films = scene.films([partial(self._film, scene, region, value) for region, value in plan])
        cells, inside, elsewhere = [], {}, {}
        for (region, value), film in zip(plan, films, strict=True):
            faces = film.faces()
            there, others = masks[region], 1 - masks[region]
            inside[f"{region} {value:g}"] = difference(faces, usual, there)
            elsewhere[f"{region} {value:g}"] = difference(faces, usual, others)
            note = f"here {inside[f'{region} {value:g}']:.2f}, else {elsewhere[f'{region} {value:g}']:.2f}"
            cells.append(Cell(faces[at], note))
        across = len(self.values)
        sheet = Sheet(
            "Weights of the regions",
            [f"weight {value:g}" for value in self.values],
            [TITLES[region] for region in SHOWN],
            [cells[i * across : (i + 1) * across] for i in range(len(SHOWN))],
        )
        numbers = {"frame": at, "change_inside": inside, "change_elsewhere": elsewhere}
        return Painting(sheet.draw(), self._says(at, scene), numbers)

    def _film(self, scene: Scene, region: str, value: float) -> Film:
        recipe = scene.animator.recipe
        scales = dict(zip(REGIONS, recipe.region_scale, strict=True))
        if scales[region] == value:
            return scene.usual
        scales[region] = value
        pose, face, lip = (scales[name] for name in REGIONS)
        return scene.film(replace(recipe, region_scale=(pose, face, lip)))

    def _says(self, at: int, scene: Scene) -> str:
        return (
            f"Frame {at} of the same speech and noise. Below each picture: mean difference from the usual weights "
            f"in grey levels over {len(scene.usual)} frames, inside the region's mask and elsewhere."
        )
