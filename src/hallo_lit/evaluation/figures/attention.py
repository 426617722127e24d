"""Figure 3: where on the face the sound acts, with one attention for everything and with one for each region."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hallo_lit.animation.animator import Animator
from hallo_lit.evaluation.figures.base import Figure, Painting, short
from hallo_lit.evaluation.figures.heat import common_top, over, scale_bar
from hallo_lit.evaluation.figures.listening import Listening
from hallo_lit.evaluation.figures.regions import TITLES, region_masks
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.evaluation.figures.sheet import Cell, Sheet, enlarged
from hallo_lit.media.image import to_pixels
from hallo_lit.structs import REGIONS

Map = NDArray[np.float64]
HEIGHT = 168


class AttentionMaps(Figure):
    """Upper row: the size of what the sound adds to the features. Lower row: how sharply attention picks audio tokens.

    full: bundle of a model trained with `fusion=full_attention`. Without one, the first column shows the same weights
    with their masks taken away.
    """

    name: ClassVar[str] = "attention"

    def __init__(self, full: str | None = None) -> None:
        self.full = full

    def paint(self, scene: Scene) -> Painting:
        other = None if self.full is None else scene.other(self.full)
        own = listen(scene)
        theirs = own if other is None else listen(scene, other)
        first = "masks taken away" if other is None else "full attention"
        names = [first, *(TITLES[name] for name in REGIONS), "all regions"]
        acts = [theirs.mean("everywhere" if other is None else "all")]
        acts += [own.mean(name) for name in (*REGIONS, "all")]
        masks = region_masks(scene.photo, (acts[0].shape[0], acts[0].shape[1]))
        looks = [theirs.mean_focus()]
        looks += [own.mean(f"focus {name}") * masks[name] for name in REGIONS]
        looks += [np.sum(looks[1:], axis=0)]
        lips = [float((values * masks["lip"]).sum() / max(values.sum(), 1e-12)) for values in acts]
        top, sharp = common_top(acts), common_top(looks)
        photo = to_pixels(scene.photo.portrait.pixels)
        photo = enlarged(photo, (HEIGHT, round(HEIGHT * photo.shape[1] / photo.shape[0])))
        effects = [Cell(over(photo, v, top), f"{s:.0%} at the lips") for v, s in zip(acts, lips, strict=True)]
        sheet = Sheet(
            "Where the sound acts",
            ["portrait", *names],
            ["effect", "focus"],
            [[Cell(photo), *effects], [None, *(Cell(over(photo, v, sharp), f"mean {v.mean():.3f}") for v in looks)]],
            HEIGHT,
            np.concatenate(
                [scale_bar(top, "of the features' size (effect)"), scale_bar(sharp, "of a single token (focus)")]
            ),
        )
        numbers = {
            "effect_mean": {name: float(values.mean()) for name, values in zip(names, acts, strict=True)},
            "effect_at_lips": dict(zip(names, lips, strict=True)),
            "lip_mask_share": float(masks["lip"].mean()),
            "full": None if other is None else other.weights,
        }
        return Painting(sheet.draw(), _says(lips, float(masks["lip"].mean()), first, other, acts[-1]), numbers)


def listen(scene: Scene, animator: Animator | None = None) -> Listening:
    """What one clip's sound does in a model, over all steps of sampling."""
    asked = animator or scene.animator
    heard = Listening(asked.hallo)
    scene.film(animator=animator, denoise=heard, frames=asked.recipe.clip_frames)
    return heard


def _says(lips: list[float], mask: float, first: str, other: Animator | None, acts: Map) -> str:
    says = (
        "Size of what the sound adds to the features of the denoiser, relative to them (upper row), and how sharply "
        "attention picks among the audio tokens (lower row); means over cells, steps and frames of the first clip. "
    )
    if acts.max() == 0:
        return says + "In this model the sound does not act at all yet: its fusion is still at zero."
    whose = f" ({short(other.weights)})" if other else ""
    return says + (
        f"The lip mask covers {mask:.0%} of the picture and receives {lips[0]:.0%} of the effect with {first}{whose}, "
        f"{lips[-1]:.0%} with all regions."
    )
