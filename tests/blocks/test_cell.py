"""One layer of the trunk: the order of its parts and what each is given."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from hallo_lit.blocks.cell import Cell
from hallo_lit.structs import Conditioning, MaskPyramid
from tiny_hallo import EXTRAS, SPEC, normal, redraw, uniform

B, F, H, W = 2, 3, 4, 6


def cell(index: int | None = 0, extras=EXTRAS) -> Cell:
    made = Cell(SPEC, 16, 32, level=1, index=index)
    made.extend(SPEC, extras, narrow=16)
    return redraw(made)


def cond(**changes: object) -> Conditioning:
    made = Conditioning(
        frames=F,
        identity=normal(1, B, 3, SPEC.context_dim),
        region_scale=torch.ones(3),
        audio=normal(2, B, F, 3, EXTRAS.audio_dim),
        masks=MaskPyramid.from_masks(uniform(3, B, 3, 16, 24), (8, 12), 3),
        motion=(normal(4, B, 2, H * W, 32),),
    )
    return replace(made, **changes)


def run(net: Cell, given: Conditioning):
    return net(normal(5, B * F, 16, H, W), normal(6, B * F, 4 * SPEC.channels[0]), given)


def test_the_order_is_resnet_spatial_audio_temporal() -> None:
    net, order = cell(), []
    for name in ("temporal", "audio", "spatial", "resnet"):
        getattr(net, name).register_forward_hook(lambda _, args, out, name=name: order.append((name, args[0], out)))
    out, tokens = run(net, cond())
    assert [name for name, *_ in order] == ["resnet", "spatial", "audio", "temporal"]
    resnet, spatial, audio, temporal = ((given, made) for _, given, made in order)
    assert spatial[0] is resnet[1]
    assert audio[0] is spatial[1][0]
    assert temporal[0] is audio[1]
    assert out is temporal[1]
    assert tokens is spatial[1][1]
    assert tokens.shape == (B * F, H * W, 32)


def test_a_cell_without_attention_has_a_resnet_only() -> None:
    net = cell(index=None)
    assert (net.spatial, net.audio, net.temporal) == (None, None, None)
    out, tokens = run(net, cond())
    assert (out.shape, tokens) == ((B * F, 32, H, W), None)


def test_the_deepest_motion_sees_no_motion_frames() -> None:
    net, given = cell(None, replace(EXTRAS, deepest_motion=True)), []
    assert net.temporal is not None
    net.temporal.register_forward_pre_hook(lambda _, args: given.append(args[2]))
    run(net, cond())
    assert given == [None]


def test_audio_is_as_wide_as_asked() -> None:
    assert cell().audio.proj_in.out_channels == 32
    assert cell(extras=replace(EXTRAS, narrow_audio=True)).audio.proj_in.out_channels == 16
    assert cell(extras=replace(EXTRAS, fusion=None)).audio is None
    assert cell(extras=replace(EXTRAS, temporal=False)).temporal is None


@pytest.mark.parametrize("name", ["identity", "audio", "region_scale", "motion", "masks"])
def test_every_condition_matters(name: str) -> None:
    net, given = cell(), cond()
    value = getattr(given, name)
    if name == "motion":
        other = (value[0].flip(1) + 1,)
    elif name == "masks":
        other = MaskPyramid(tuple(1 - level for level in value.levels))
    else:
        other = value.flip(-1) * 2
    assert (run(net, cond(**{name: other}))[0] - run(net, given)[0]).abs().max() > 0.01


def test_without_masks_the_audio_part_rests() -> None:
    net, calls = cell(), []
    net.audio.register_forward_pre_hook(lambda *_: calls.append(1))
    run(net, cond(masks=None))
    assert not calls


def test_masks_are_those_of_its_level() -> None:
    net, given = cell(), []
    net.audio.register_forward_pre_hook(lambda _, args: given.append(args[2]))
    whole = cond()
    run(net, whole)
    assert torch.equal(given[0], whole.masks.at(1, F))
