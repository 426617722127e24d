"""What a stored clip may hold: every tensor's name, type and shape is written here once.

Axes: f frames, H W pixels of the crop, h w any smaller grid, r regions in the order of `REGIONS`, c latent channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from hallo_lit.errors import UserError
from hallo_lit.structs import REGIONS


class TensorKind(NamedTuple):
    """One row of `TENSORS`."""

    dtype: str
    axes: str  # f, H and W are those of the clip, numbers are fixed, other names are free
    feature: str  # what is computed, kept and declared stale together


TENSORS: Mapping[str, TensorKind] = {
    "pixels": TensorKind("uint8", "f H W 3", "pixels"),  # RGB
    "latents_mean": TensorKind("float16", "f c h w", "latents"),  # of the VAE posterior, times the scaling factor
    "latents_std": TensorKind("float16", "f c h w", "latents"),
    "regions": TensorKind("uint8", f"{len(REGIONS)} h w", "regions"),  # union over the clip, blurred, 255 = inside
    "boxes": TensorKind("float32", "f 2 4", "boxes"),  # face and lip box of every frame: left, top, right, bottom
    "locator": TensorKind("float32", "4", "locator"),  # face box of the whole clip, pixels of the crop, end exclusive
    "identity": TensorKind("float32", "d", "identity"),  # face embedding
    "audio": TensorKind("float16", "f layers width", "audio"),  # encoder features, one row per frame
    "wave": TensorKind("int16", "f 640", "wave"),  # the sound of every frame, mono, 16 kHz; see sound.py
    "curves": TensorKind("float32", "f n", "curves"),  # true control curves; names in metadata["curves"]
    "landmarks": TensorKind("float32", "f 478 xy", "landmarks"),  # MediaPipe's 478 points, pixels of the crop
    "phoneme_times": TensorKind("float32", "n 2", "phonemes"),  # start, end in seconds; labels in metadata["phonemes"]
}
_WHOLE = {"uint8": "8-bit values (0..255)", "int16": "16-bit samples (int16)"}
VIDEO = "video"  # the cropped mp4 beside the tensors
FEATURES: tuple[str, ...] = (VIDEO, *dict.fromkeys(kind.feature for kind in TENSORS.values()))


def features_of(names: Iterable[str], video: bool) -> frozenset[str]:
    """The features that a set of tensor names amounts to."""
    present = {TENSORS[name].feature for name in names}
    return frozenset(present | {VIDEO} if video else present)


def checked(tensors: Mapping[str, Any], frames: int, size: tuple[int, int], where: str) -> dict[str, np.ndarray]:
    """The tensors as contiguous arrays of the stored type.

    Raises:
        UserError: an unknown name, a wrong shape, or a value not finite (also in half precision).
    """
    bound = {"f": frames, "H": size[0], "W": size[1]}
    arrays: dict[str, np.ndarray] = {}
    for name, value in tensors.items():
        if name not in TENSORS:
            raise UserError(f"{where}: a store has no tensor named {name!r}; it knows {', '.join(TENSORS)}.")
        kind, given = TENSORS[name], np.asarray(value)
        axes = kind.axes.split()
        expected = [int(axis) if axis.isdigit() else bound.get(axis) for axis in axes]
        fits = len(axes) == given.ndim and all(
            want in (None, have) for want, have in zip(expected, given.shape, strict=True)
        )
        if not fits:
            raise UserError(
                f"{where}: {name} has shape {given.shape}, but ({kind.axes}) is needed "
                f"with f={frames}, H={size[0]}, W={size[1]}."
            )
        if kind.dtype in _WHOLE and given.dtype != kind.dtype:
            raise UserError(f"{where}: {name} is {given.dtype}, but {_WHOLE[kind.dtype]} are needed.")
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(given, dtype=kind.dtype)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise UserError(f"{where}: {name} has values that are not finite numbers in {kind.dtype}.")
        arrays[name] = array
    for feature in features_of(set(arrays), False):
        parts = {name for name, kind in TENSORS.items() if kind.feature == feature}
        if not parts <= set(arrays):
            raise UserError(f"{where}: {feature} needs all of {', '.join(sorted(parts))}.")
    return arrays
