"""A Hallo small enough for every test, every parameter redrawn so that layers which start at zero contribute too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from hallo_lit.blocks.cell import Extras, UNetSpec
from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.expression_net import ExpressionNet
from hallo_lit.components.face_locator import FaceLocator
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.components.hallo import Hallo, Quirks
from hallo_lit.components.projections import AudioProjection, IdentityProjection
from hallo_lit.components.reference_net import ReferenceNet
from hallo_lit.components.vae import LatentCodec
from hallo_lit.structs import ClipInputs, Conditioning, Drop, KeyValue, MaskPyramid, Portrait

# the lowest level has no attention, and a width changes where there is attention: the two special cases of the trunk
SPEC = UNetSpec(channels=(16, 32, 32), attention=(True, True, False), layers=1, heads=2, context_dim=12, groups=4)
EXTRAS = Extras(HierarchicalFusion, audio_dim=10, temporal_heads=2, temporal_groups=4, max_frames=12)
PIXELS = (32, 48)  # not square
LATENTS = (8, 12)
NO_QUIRKS = Quirks()
CONTROLS = ("blink", "brow")
WINDOW, LAYERS, WIDTH, IDENTITY = 5, 2, 6, 7  # of the audio features, and of the face embedding
CLOSE = {"rtol": 1e-4, "atol": 2e-5}  # sums in another order


def normal(seed: int, *shape: int) -> Tensor:
    """Standard normal numbers that no version of torch changes."""
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape)).float()


def uniform(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.RandomState(seed).random_sample(shape)).float()


def redraw(module: nn.Module, seed: int = 0) -> nn.Module:
    """Every parameter from one seeded normal, scaled so that signals keep their size."""
    random = np.random.RandomState(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            drawn = torch.from_numpy(random.standard_normal(parameter.shape)).to(parameter)
            if parameter.ndim > 1:
                parameter.copy_(drawn * parameter[0].numel() ** -0.5)
            else:
                centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
                parameter.copy_(centre + 0.2 * drawn)
    return module


def tiny_denoiser(spec: UNetSpec = SPEC, extras: Extras = EXTRAS, checkpointing: bool = False) -> DenoisingUNet:
    made = DenoisingUNet(spec, extras, checkpointing)
    redraw(made)
    return made


def tiny_hallo(
    quirks: Quirks = NO_QUIRKS,
    fusion: Callable[[int, int, int], nn.Module] | None = HierarchicalFusion,
    checkpointing: bool = False,
    expression: bool = False,
    **extras: bool,
) -> Hallo:
    """extras: switches of `Extras`, such as narrow_audio."""
    hallo = Hallo(
        LatentCodec((4, 8, 8), layers=1, groups=2, scale=0.5),
        ReferenceNet(SPEC, checkpointing),
        DenoisingUNet(SPEC, replace(EXTRAS, fusion=fusion, **extras), checkpointing),
        FaceLocator(SPEC.channels[0], (4, 6, 8)),
        IdentityProjection(IDENTITY, SPEC.context_dim, 3),
        AudioProjection(WINDOW, LAYERS, WIDTH, hidden=16, tokens=3, dim=EXTRAS.audio_dim),
        quirks,
        ExpressionNet(CONTROLS, 8, 1, 4) if expression else None,
    )
    redraw(hallo)
    hallo.codec.requires_grad_(False)
    return hallo


def tiny_clip(batch: int = 1, frames: int = 3, motion: int = 2, own_masks: bool = False, seed: int = 1) -> ClipInputs:
    """Random inputs of `tiny_hallo`; `own_masks` gives every frame masks of its own."""
    height, width = PIXELS
    box = torch.zeros(batch, 1, height, width)
    box[..., 6:22, 10:30] = 1
    masks = (batch, frames, 3, 20, 28) if own_masks else (batch, 3, 20, 28)
    return ClipInputs(
        portrait=uniform(seed, batch, 3, height, width) * 2 - 1,
        past=uniform(seed + 100, batch, motion, 3, height, width) * 2 - 1,
        audio=normal(seed + 200, batch, frames, WINDOW, LAYERS, WIDTH),
        identity=normal(seed + 300, batch, IDENTITY),
        regions=uniform(seed + 400, *masks),
        locator=box * uniform(seed + 500, batch, 1, 1, 1),
        expression=normal(seed + 600, batch, frames, len(CONTROLS)),
    )


def tiny_portrait(seed: int = 1) -> Portrait:
    clip = tiny_clip(seed=seed)
    return Portrait(clip.portrait[0], clip.regions[0], clip.locator[0], clip.identity[0], (0, 0, *reversed(PIXELS)))


def noisy(batch: int = 1, frames: int = 3, seed: int = 7) -> Tensor:
    """(b, f, 4, h, w)"""
    return normal(seed, batch, frames, SPEC.in_channels, *LATENTS)


def conditioned(hallo: Hallo, clip: ClipInputs, drop: Drop | None = None, scale: Tensor | None = None) -> Conditioning:
    drop = drop or Drop.none(len(clip.portrait))
    return hallo.condition(clip, hallo.prepare(clip, drop), drop, scale)


def times(batch: int = 1) -> Tensor:
    """(b,) timesteps, one of them the first of sampling."""
    return torch.tensor([999, 20, 500][:batch])


def simple(frames: int = 3, size: tuple[int, int] = LATENTS, portrait: int | None = None) -> Conditioning:
    """What one or two levels can be told; `portrait` is the seed of one."""
    pair = None
    if portrait is not None:
        tokens = size[0] * size[1]
        pair = tuple(KeyValue(*(normal(portrait + i, 1, 1, 2, tokens, 8) for i in (0, 1))) for _ in range(4))
    return Conditioning(
        frames,
        normal(1, 1, 3, SPEC.context_dim),
        torch.ones(3),
        audio=normal(2, 1, frames, 3, EXTRAS.audio_dim),
        masks=MaskPyramid.from_masks(uniform(3, 1, 3, 20, 28), size, 2),
        portrait=pair,
    )


def lost(*names: str, of: int = 1) -> Drop:
    """What every one of `of` clips loses."""
    return Drop.where(of, names)


def assert_same(ours: Conditioning, wanted: Conditioning) -> None:
    """Every field of two conditionings."""
    for name in wanted.__dataclass_fields__:
        a, b = getattr(ours, name), getattr(wanted, name)
        if name == "masks":
            a, b = a.levels, b.levels
        torch.testing.assert_close(a, b, **CLOSE, msg=lambda text, name=name: f"{name}: {text}")


class Calls:
    """Counts the calls of a module and the rows of their first argument."""

    def __init__(self, module: nn.Module) -> None:
        self.rows: list[int] = []
        module.register_forward_pre_hook(lambda _, args: self.rows.append(len(args[0])))

    def __len__(self) -> int:
        return len(self.rows)
