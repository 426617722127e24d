"""What every figure promises: a picture, a sentence, the numbers behind it, and where all of it comes from."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hallo_lit import __version__
from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.evaluation.figures.sheet import captioned
from hallo_lit.media.image import Pixels

KEY = "hallo_lit"  # the text chunk of the PNG that holds the description


@dataclass(frozen=True)
class Painting:
    """picture (H, W, 3); says: what is seen, in a sentence or two; numbers: what was measured, plain data."""

    picture: Pixels
    says: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


class Figure(ABC):
    """A subclass is one file here and one file in conf/figure with the constructor's keywords."""

    name: ClassVar[str]

    @abstractmethod
    def paint(self, scene: Scene) -> Painting:
        """
        Raises:
            UserError: the scene lacks what this figure needs.
        """

    def draw(self, scene: Scene, folder: Path) -> Path:
        """Writes `folder/NAME.png`: the picture above its caption, the same and the numbers as metadata.

        Raises:
            UserError: see `paint`; or the folder cannot be written.
        """
        painting = self.paint(scene)
        about = self.describe(scene, painting)
        path = folder / f"{self.name}.png"
        chunk = PngInfo()
        chunk.add_itxt(KEY, json.dumps(about, ensure_ascii=False, default=str))
        chunk.add_itxt("Description", f"{painting.says} {about['origin']}")
        with replacing(path) as part:
            Image.fromarray(captioned(painting.picture, painting.says, about["origin"])).save(part, pnginfo=chunk)
        return path

    def describe(self, scene: Scene, painting: Painting) -> dict[str, Any]:
        """What the PNG says about itself."""
        recipe = scene.animator.recipe
        sampler = f"{recipe.sampler.solver}, {recipe.sampler.steps} steps"
        guidance = recipe.guidance.describe()
        origin = (
            f"Weights {short(scene.animator.weights)}; seed {scene.seed}; {sampler}; guidance {guidance}; "
            f"{scene.portrait.name}, {scene.audio.name}"
            + (f", {scene.real.name}" if scene.real else "")
            + (f". {scene.command}" if scene.command else "")
        )
        return {
            "figure": self.name,
            "says": painting.says,
            "origin": origin,
            "weights": scene.animator.weights,
            "seed": scene.seed,
            "sampler": sampler,
            "guidance": guidance,
            "portrait": scene.portrait.name,
            "audio": scene.audio.name,
            "real": scene.real.name if scene.real else None,
            "seconds": scene.seconds,
            "command": scene.command,
            "numbers": dict(painting.numbers),
            "software": f"hallo_lit {__version__}",
        }


def read_description(path: Path) -> dict[str, Any]:
    """What a figure of ours says about itself.

    Raises:
        UserError: the file is no figure of ours.
    """
    try:
        with Image.open(path) as image:
            about: dict[str, Any] = json.loads(image.info[KEY])
            return about
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{path} is no figure of hallo-lit.") from error


def short(weights: str) -> str:
    """A hash by its first twelve letters, whatever stands before it."""
    *before, digest = weights.split(" ") if weights else ["unknown"]
    return " ".join([*before, digest[:12]])


def check_values(name: str, values: Sequence[float]) -> tuple[float, ...]:
    """
    Raises:
        UserError: no values, or some that are no ordinary numbers.
    """
    made = tuple(float(value) for value in values)
    if not made or not all(abs(value) < 1000 for value in made):
        raise UserError(f"{name}={list(values)} must be a list of numbers, for example [0,1,2].")
    return made
