"""Turns folders into the weight files they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hallo_lit.errors import UserError
from hallo_lit.weights.known import KNOWN
from hallo_lit.weights.reading import ENDINGS

TRAINED = ("hallo", "hallo2")  # whole models, of which only one can be imported
STARTS = ("sd15-unet", "animatediff-v2")  # contained in the trained ones
READABLE = (*ENDINGS, ".onnx")


def expand(paths: Sequence[Path]) -> list[Path]:
    """Files as they are; a folder in the layout of the original's `pretrained_models` as what `animate` needs of it;
    any other folder as the weight files directly inside, one per stem.

    Raises:
        UserError: a folder holds no weights, or two whole models.
    """
    return [file for path in paths for file in (_inside(path) if path.is_dir() else [path])]


def _inside(folder: Path) -> list[Path]:
    there = {item.name: folder / item.place for item in KNOWN if (folder / item.place).is_file()}
    wholes = [name for name in TRAINED if name in there]
    if len(wholes) > 1:
        both = " and ".join(str(there[name]) for name in wholes)
        raise UserError(
            f"{folder} holds {both}, which are two versions of the same networks; give the files one by one."
        )
    if wholes:
        there = {name: path for name, path in there.items() if name not in STARTS}
    files = [path for path in there.values() if path.suffix in READABLE]
    if files:
        return files
    stems: dict[str, Path] = {}
    for ending in READABLE:  # in order of preference
        for path in sorted(folder.glob(f"*{ending}")):
            stems.setdefault(path.stem, path)
    if not stems:
        raise UserError(f"{folder} holds no weight files ({', '.join(READABLE)}); give the files themselves.")
    return sorted(stems.values())
