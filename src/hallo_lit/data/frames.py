"""Frames of a stored clip as a network wants them: cached latents, raw pixels, or decoded from the mp4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hallo_lit.data.store_reader import ClipStore, StoredClip
from hallo_lit.errors import UserError

Source = Literal["latents", "pixels", "video"]


class ReadFrames(Protocol):
    """Frames [start, stop) of a clip, (n, c, h, w); what is random comes from the generator."""

    def __call__(self, clip: StoredClip, start: int, stop: int, generator: torch.Generator) -> Tensor: ...


def choose_source(store: ClipStore, wanted: str) -> Source:
    """`wanted`, or for `auto` the cheapest that every clip of the store has.

    Raises:
        UserError: no such source, or clips without it.
    """
    order: tuple[Source, ...] = ("latents", "pixels", "video")
    if wanted == "auto":
        for source in order:
            if store.has(source):
                return source
        raise UserError(f"Not all clips of {store.root} have latents, pixels or a video; run preprocess on it again.")
    for source in order:
        if wanted == source:
            store.require([source])
            return source
    raise UserError(f"The frames of a clip cannot come from {wanted!r}; choose auto, {', '.join(order)}.")


def reader(source: Source, size: tuple[int, int] | None) -> ReadFrames:
    """`size` (height, width) resizes pixels; None keeps them as stored. Latents cannot be resized."""
    if source == "latents":
        return read_latents

    def read(clip: StoredClip, start: int, stop: int, generator: torch.Generator) -> Tensor:
        frames = clip.read("pixels", start, stop) if source == "pixels" else _decode(clip, start, stop)
        images = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
        if size is None or tuple(images.shape[-2:]) == size:
            return images
        return F.interpolate(images, size, mode="bilinear", antialias=True)

    return read


def read_latents(clip: StoredClip, start: int, stop: int, generator: torch.Generator) -> Tensor:
    """A sample of the VAE's posterior: mean + deviation * noise, as encoding the frames anew would give."""
    mean = torch.from_numpy(clip.read("latents_mean", start, stop)).float()
    deviation = torch.from_numpy(clip.read("latents_std", start, stop)).float()
    return mean.addcmul_(deviation, torch.randn(mean.shape, generator=generator))


def gather(read: ReadFrames, clip: StoredClip, wanted: Iterable[int], generator: torch.Generator) -> dict[int, Tensor]:
    """Every wanted frame once, (c, h, w) by its number; neighbours are read together."""
    found: dict[int, Tensor] = {}
    for run in runs(sorted(set(wanted))):
        frames = read(clip, run.start, run.stop, generator)
        if len(frames) != len(run):
            raise UserError(f"Frames {run.start} to {run.stop - 1} of {clip.path} cannot be read; preprocess it again.")
        found.update(zip(run, frames, strict=True))
    return found


def runs(numbers: Iterable[int]) -> Iterator[range]:
    """Stretches of consecutive numbers in a rising sequence."""
    run = range(0)
    for number in numbers:
        if len(run) and number == run.stop:
            run = range(run.start, number + 1)
            continue
        if len(run):
            yield run
        run = range(number, number + 1)
    if len(run):
        yield run


def _decode(clip: StoredClip, start: int, stop: int) -> np.ndarray:
    try:
        from hallo_lit.media.video import read_clip
    except ImportError as error:
        raise UserError(
            f"Reading {clip.video} needs the package {error.name}, which is not installed; "
            "install it, or preprocess with latents or pixels kept in the store."
        ) from error
    return read_clip(clip.video, start, stop - start)
