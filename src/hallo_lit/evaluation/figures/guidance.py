"""Grid of audio and image guidance scales (the pictures behind table 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from hallo_lit.diffusion.guidance import SplitGuidance
from hallo_lit.evaluation.figures.base import Figure, Painting, check_values
from hallo_lit.evaluation.figures.film import Film, shrunk
from hallo_lit.evaluation.figures.regions import difference, liveliness, most_changed, region_masks
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.evaluation.figures.sheet import Cell, Sheet


class GuidanceGrid(Figure):
    """Rows are audio scales, columns image scales, both of `SplitGuidance`; `frame` as in `WeightGrid`."""

    name: ClassVar[str] = "guidance"

    def __init__(
        self,
        audio: Sequence[float] = (1, 2, 3.5, 5),
        image: Sequence[float] = (1, 2, 3.5, 5),
        frame: int | None = None,
    ) -> None:
        self.audio, self.image, self.frame = check_values("audio", audio), check_values("image", image), frame

    def paint(self, scene: Scene) -> Painting:
        plan = [(audio, image) for audio in self.audio for image in self.image]
        films = scene.films([partial(self._film, scene, *scales) for scales in plan])
        usual = scene.usual.faces()
        size = (usual.shape[1], usual.shape[2])
        masks = region_masks(scene.photo, size)
        portrait = Film(shrunk(scene.photo.pixels)[None], scene.usual.box).faces()
        at = most_changed(usual, masks["lip"]) if self.frame is None else min(self.frame, len(usual) - 1)
        cells, numbers = [], {}
        for (audio, image), film in zip(plan, films, strict=True):
            faces = film.faces()
            moves = liveliness(faces, masks["lip"])
            far = difference(faces, portrait.repeat(len(faces), 0), masks["pose"])
            numbers[f"audio {audio:g}, image {image:g}"] = {"lips_move": moves, "surroundings_differ": far}
            cells.append(Cell(faces[at], f"lips {moves:.2f}, around {far:.2f}"))
        across = len(self.image)
        sheet = Sheet(
            "Guidance scales",
            [f"image {value:g}" for value in self.image],
            [f"audio {value:g}" for value in self.audio],
            [cells[i * across : (i + 1) * across] for i in range(len(self.audio))],
        )
        says = (
            f"Frame {at} of the same speech and noise. Below each picture, in grey levels over {len(usual)} frames: "
            "how much the lips change from frame to frame, and how far everything but the face is from the portrait."
        )
        return Painting(sheet.draw(), says, {"frame": at, "scales": numbers})

    def _film(self, scene: Scene, audio: float, image: float) -> Film:
        return scene.film(replace(scene.animator.recipe, guidance=SplitGuidance(audio, image)))
