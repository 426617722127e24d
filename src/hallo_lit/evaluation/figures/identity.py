"""Figure 10: the same speech before and after fine-tuning on one person, beside that person."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.base import Figure, Painting, short
from hallo_lit.evaluation.figures.film import Film
from hallo_lit.evaluation.figures.regions import difference
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.evaluation.figures.sheet import Cell, Sheet
from hallo_lit.metrics.diversity import Diversity
from hallo_lit.metrics.video import FPS, Unmeasurable, Video


class BeforeAfter(Figure):
    """before: the bundle that fine-tuning started from; the scene's own model is the one after it.

    columns: how many moments are shown.
    """

    name: ClassVar[str] = "identity"

    def __init__(self, before: str | None = None, columns: int = 6) -> None:
        if columns < 1:
            raise UserError(f"columns={columns} of figure identity: at least 1 is needed.")
        self.before, self.columns = before, columns

    def paint(self, scene: Scene) -> Painting:
        if self.before is None:
            raise UserError(
                "Figure identity compares two models: give the one before fine-tuning as figure.identity.before=BUNDLE."
            )
        before = scene.other(self.before)
        rows = {"before": scene.film(animator=before), "after": scene.usual}
        real = scene.filmed()
        if real is not None:
            rows = {"real": real, **rows}
        count = min(map(len, rows.values()))
        chosen = np.linspace(0, count - 1, min(self.columns, count)).round().astype(int)
        usual = scene.usual
        faces = {
            name: (Film(film.frames, usual.box) if film.frames.shape[1:] == usual.frames.shape[1:] else film).faces()
            for name, film in rows.items()
        }  # one crop for all, however closely each model looks
        numbers = {name: spread(film) for name, film in rows.items()}
        for name in ("before", "after"):
            if real is not None and faces[name].shape[1:] == faces["real"].shape[1:]:
                numbers[name]["difference_from_real"] = difference(faces[name], faces["real"])
        sheet = Sheet(
            "Before and after fine-tuning",
            [f"{frame / FPS:.2f} s" for frame in chosen],
            [_title(name, numbers[name]) for name in rows],
            [[Cell(faces[name][frame]) for frame in chosen] for name in rows],
        )
        says = (
            f"Before: weights {short(before.weights)}; after: {short(scene.animator.weights)}. Head: deviation of its "
            "angles in degrees; expression: that of lips, lids and brows in hundredths of an eye distance; both "
            "over time, by MediaPipe, for at least 25 frames with a face."
        )
        if real is not None:
            says += " Off: mean difference from the real frames in grey levels."
        return Painting(sheet.draw(), says, {**numbers, "before_weights": before.weights})


def spread(film: Film) -> dict[str, float]:
    """How much head and expression vary; nothing where too few frames show a face."""
    try:
        head, expression, _ = Diversity().of(Video.from_arrays("film", film.frames))
    except Unmeasurable:
        return {}
    return {"head": head, "expression": expression}


def _title(name: str, numbers: dict[str, float]) -> str:
    lines = [name]
    if "head" in numbers:
        lines += [f"head {numbers['head']:.1f}", f"expression {100 * numbers['expression']:.1f}"]
    if "difference_from_real" in numbers:
        lines.append(f"off {numbers['difference_from_real']:.1f}")
    return "\n".join(lines)
