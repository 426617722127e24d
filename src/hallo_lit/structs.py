"""The bundles that cross function boundaries; every shape is written here once.

Axes: b clips, f frames, m motion frames, p portraits, r regions, l = h*w tokens, c channels, w audio window.
Images are RGB in [-1, 1]; masks are in [0, 1]; "latents" are VAE latents times the scaling factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

REGIONS = ("pose", "face", "lip")


class KeyValue(NamedTuple):
    """Projected keys and values, each (..., heads, l, c / heads)."""

    key: Tensor
    value: Tensor


def _nothing() -> Tensor:
    return torch.zeros(0)


@dataclass(frozen=True)
class MaskPyramid:
    """Region masks at every UNet level; level i is (b, k, r, l_i) in [0, 1], k = f masks of their own or 1 for all."""

    levels: tuple[Tensor, ...]

    @classmethod
    def from_masks(cls, masks: Tensor, size: tuple[int, int], depth: int = 4, eight_bit: bool = False) -> MaskPyramid:
        """Shrink (b, r, H, W) or (b, f, r, H, W) masks to the latent size (h, w), then to its halves, depth in all.

        Every level is made from `masks` itself, antialiased. `eight_bit` resizes them as 8-bit pictures with Pillow,
        as the original does; only released weights want that.
        """
        masks = masks if masks.ndim == 5 else masks[:, None]
        flat = masks.flatten(0, 1)  # (b k, r, H, W)
        flat = flat.to(torch.promote_types(flat.dtype, torch.float32))  # CPUs cannot resize half precision

        def shrink(height: int, width: int) -> Tensor:
            if eight_bit:
                small = _resize_pictures(flat, height, width)
            else:
                small = F.interpolate(flat, (height, width), mode="bilinear", antialias=True)
            return small.to(masks.dtype).flatten(2).unflatten(0, masks.shape[:2])

        return cls(tuple(shrink(size[0] >> i, size[1] >> i) for i in range(depth)))

    def __getitem__(self, rows: slice) -> MaskPyramid:
        return MaskPyramid(tuple(level[rows] for level in self.levels))

    def at(self, level: int, frames: int) -> Tensor:
        """(b f, r, l) masks of a level, one row per frame."""
        masks = self.levels[level]
        return masks.expand(-1, frames, -1, -1).flatten(0, 1)


@dataclass(frozen=True)
class ReferenceTokens:
    """What the ReferenceNet saw, one entry per spatial block in execution order."""

    portrait: tuple[Tensor, ...]  # (b, p, l, c)
    motion: tuple[Tensor, ...]  # (b, m, l, c)


@dataclass(frozen=True)
class DropRates:
    """How often training hides a condition from a clip: one coin per clip and field (paper: 0.05 each).

    The `reference` coin takes portrait, identity and location together.
    """

    reference: float = 0.05
    audio: float = 0.05
    motion: float = 0.05


@dataclass(frozen=True)
class Drop:
    """Which conditions each clip loses, (b,) bool on the CPU so that asking about them never waits for a GPU."""

    portrait: Tensor
    identity: Tensor
    audio: Tensor
    motion: Tensor
    location: Tensor

    @classmethod
    def where(cls, batch: int, names: Sequence[str]) -> Drop:
        """Every clip of the batch loses the conditions in `names`."""
        return cls(*(torch.full((batch,), field.name in names) for field in fields(cls)))

    @classmethod
    def none(cls, batch: int) -> Drop:
        return cls.where(batch, ())

    @classmethod
    def unconditional(cls, batch: int) -> Drop:
        """The null of joint guidance: everything but the motion frames, which stay in all passes."""
        return cls.where(batch, ("portrait", "identity", "audio", "location"))

    @classmethod
    def sample(cls, batch: int, rates: DropRates, generator: torch.Generator | None = None) -> Drop:
        """Independent coins for reference, audio and motion of every clip."""
        coin = torch.rand(batch, 3, generator=generator)
        reference, audio, motion = (coin < torch.tensor([rates.reference, rates.audio, rates.motion])).unbind(1)
        return cls(reference, reference, audio, motion, reference)

    @classmethod
    def cat(cls, drops: Sequence[Drop]) -> Drop:
        return cls(*(torch.cat([getattr(d, field.name) for d in drops]) for field in fields(cls)))


@dataclass(frozen=True)
class Conditioning:
    """Everything the denoiser is told about a clip besides the noisy latents; None means the condition is absent."""

    frames: int
    identity: Tensor  # (b, tokens, context_dim)
    region_scale: Tensor  # (r,)
    audio: Tensor | None = None  # (b, f, tokens, audio_dim); None equals zero tokens
    masks: MaskPyramid | None = None
    location: Tensor | None = None  # (b, k, c, h, w), k = f features of their own or 1 for all
    portrait: tuple[KeyValue, ...] | None = None  # (b, p, heads, l, c / heads) each; frame j reads portrait j % p
    keep_portrait: Tensor | None = None  # (b,) bool; False = this clip sees no portrait
    motion: tuple[Tensor, ...] | None = None  # (b, m, l, c)
    # (b, k, c, h, w) latents of the portrait, k = f expressions or 1, zero where it is dropped; None equals zeros
    reference: Tensor | None = None

    def row(self, index: int, drop: Drop) -> Conditioning:
        """The conditioning of clip `index` alone, without the parts that `drop` (of the whole batch) takes from it."""
        rows = slice(index, index + 1)
        lost_portrait, lost_audio = bool(drop.portrait[index]), bool(drop.audio[index])
        lost_location = bool(drop.location[index])
        return replace(
            self,
            identity=self.identity[rows],
            audio=None if self.audio is None or lost_audio else self.audio[rows],
            masks=None if self.masks is None else self.masks[rows],
            location=None if self.location is None or lost_location else self.location[rows],
            portrait=None
            if self.portrait is None or lost_portrait
            else tuple(KeyValue(*(t[rows] for t in kv)) for kv in self.portrait),
            keep_portrait=None,
            motion=None if self.motion is None else tuple(t[rows] for t in self.motion),
            reference=None if self.reference is None or lost_portrait else self.reference[rows],
        )


@dataclass(frozen=True)
class Portrait:
    """One analysed photo, cropped for the model."""

    pixels: Tensor  # (3, H, W) in [-1, 1]
    regions: Tensor  # (r, h, w) masks in the order of REGIONS
    locator: Tensor  # (1, H, W), 1 inside the face box
    identity: Tensor  # (d,) face embedding
    box: tuple[int, int, int, int]  # left, top, right, bottom of the crop in the photo, pixels, end exclusive


@dataclass  # not frozen: Lightning's precision plugins convert batches field by field
class ClipInputs:
    """What inference and training both know of a clip; `portrait` and `past` may be pixels or latents."""

    portrait: Tensor  # (b, 3, H, W), or (b, c, h, w) latents
    past: Tensor  # (b, m, 3, H, W), or (b, m, c, h, w) latents: the frames before the clip, oldest first
    audio: Tensor  # (b, f, w, layers, d)
    identity: Tensor  # (b, d)
    regions: Tensor  # (b, r, h, w), or (b, f, r, h, w) with masks of their own for every frame
    locator: Tensor  # (b, 1, H, W)
    # (b, f, k) controls of an ExpressionNet, (1, f, k) for rows that are all of one clip; (b, 0) without
    expression: Tensor = field(default_factory=_nothing)

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> ClipInputs:
        return ClipInputs(*(getattr(self, f.name).to(device, dtype, non_blocking=True) for f in fields(self)))

    def repeat(self, times: int) -> ClipInputs:
        """The same clips `times` over, (b, ...) -> (times b, ...), without copying when b is 1."""
        return ClipInputs(
            *(
                x.expand(times, *x.shape[1:]) if len(x) == 1 else x.repeat(times, *[1] * (x.ndim - 1))
                for x in (getattr(self, f.name) for f in fields(self))
            )
        )


@dataclass(frozen=True)
class PreparedPortrait:
    """What depends on the portrait alone and is computed once per video."""

    latents: Tensor  # (b, c, h, w)
    identity: Tensor  # (b, tokens, context_dim)
    location: Tensor  # (b, 1, c, h, w)
    masks: MaskPyramid
    portrait: tuple[KeyValue, ...]  # (b, 1, heads, l, c / heads) per cell with attention
    picture: Tensor | None = None  # (b, 3, H, W) as the codec shows it, for models with an ExpressionNet
    recoded: Tensor | None = None  # (b, c, h, w) latents of that picture


@dataclass(frozen=True)
class ClipSample:
    """One training clip before batching: the fields of ClipInputs without b, its frames, and where it came from."""

    frames: Tensor  # (f, 3, H, W), or (f, c, h, w) latents
    portrait: Tensor
    past: Tensor
    audio: Tensor
    identity: Tensor
    regions: Tensor
    locator: Tensor
    index: int  # global sample index, the seed of this sample's noise
    expression: Tensor = field(default_factory=_nothing)  # (f, k) true ones, less the portrait's, where asked for
    curves: Tensor = field(default_factory=_nothing)  # (f, n) true controls of self-made clips, where asked for


@dataclass  # not frozen: Lightning's precision plugins convert batches field by field
class ClipBatch:
    """Training clips side by side."""

    frames: Tensor  # (b, f, 3, H, W), or (b, f, c, h, w) latents
    inputs: ClipInputs
    index: Tensor  # (b,) int64 global sample indices
    curves: Tensor = field(default_factory=_nothing)  # (b, f, n) what auxiliary losses compare with; (b, 0) without

    @classmethod
    def from_samples(cls, samples: list[ClipSample]) -> ClipBatch:
        def stack(name: str) -> Tensor:
            return torch.stack([getattr(sample, name) for sample in samples])

        inputs = ClipInputs(*(stack(f.name) for f in fields(ClipInputs)))
        index = torch.tensor([sample.index for sample in samples])
        return cls(stack("frames"), inputs, index, stack("curves"))

    def to(self, device: torch.device | str) -> ClipBatch:
        """All but `index`, which the CPU reads to draw random numbers."""
        frames, curves = (x.to(device, non_blocking=True) for x in (self.frames, self.curves))
        return ClipBatch(frames, self.inputs.to(device), self.index, curves)

    def pin_memory(self) -> ClipBatch:
        inputs = ClipInputs(*(getattr(self.inputs, f.name).pin_memory() for f in fields(ClipInputs)))
        return ClipBatch(self.frames.pin_memory(), inputs, self.index, self.curves.pin_memory())


def per_frame(x: Tensor, frames: int) -> Tensor:
    """(b, ...) -> (b f, ...), the same entry for every frame."""
    return x.repeat_interleave(frames, 0)


def cycle(x: Tensor, frames: int) -> Tensor:
    """(b, p, ...) -> (b f, ...), frame j gets entry j % p."""
    if x.shape[1] == 1:
        return per_frame(x[:, 0], frames)
    return x[:, torch.arange(frames, device=x.device) % x.shape[1]].flatten(0, 1)


def _resize_pictures(masks: Tensor, height: int, width: int) -> Tensor:
    """(n, r, H, W) in [0, 1] -> (n, r, height, width), rounded to 1/255 between the axes as Pillow does."""
    from PIL import Image

    pictures = masks.detach().float().mul(255).round().to(torch.uint8).cpu().flatten(0, 1).numpy()
    small = [Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR) for picture in pictures]
    resized = torch.stack([torch.frombuffer(bytearray(s.tobytes()), dtype=torch.uint8) for s in small])
    return resized.to(masks).div(255).view(*masks.shape[:2], height, width)
