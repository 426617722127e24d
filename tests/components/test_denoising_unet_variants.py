"""The denoiser in the sizes of released weights, and with parts left out or added."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from hallo_lit.blocks.cell import Extras, UNetSpec
from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.structs import MaskPyramid
from tiny_hallo import (
    CLOSE,
    EXTRAS,
    LATENTS,
    SPEC,
    Calls,
    conditioned,
    noisy,
    normal,
    redraw,
    simple,
    times,
    tiny_clip,
    tiny_denoiser,
    tiny_hallo,
    uniform,
)


@torch.no_grad()
def test_deepest_motion_builds_temporal_parts_everywhere_and_runs() -> None:
    net = tiny_denoiser(extras=replace(EXTRAS, deepest_motion=True))
    deepest = [*net.down[-1].cells, *net.up[0].cells]
    assert all(cell.temporal is not None and cell.audio is None for cell in deepest)
    assert all(cell.temporal is None for cell in [*tiny_denoiser().down[-1].cells, *tiny_denoiser().up[0].cells])
    calls = [Calls(cell.temporal) for cell in deepest]
    hallo = tiny_hallo(deepest_motion=True)
    hallo.denoiser.load_state_dict(net.state_dict())
    cond = conditioned(hallo, tiny_clip())
    masks = replace(cond, motion=cond.motion)
    assert net(noisy(), times(), masks).shape == noisy().shape
    assert all(len(call) == 1 for call in calls)


@pytest.fixture(scope="module")
def full_size() -> tuple[DenoisingUNet, DenoisingUNet]:
    """Ours and the released one, on no device."""
    with torch.device("meta"):
        ours = DenoisingUNet(UNetSpec(), Extras(HierarchicalFusion))
        return ours, DenoisingUNet(UNetSpec(), Extras(HierarchicalFusion, narrow_audio=True))


def audio_widths(net: DenoisingUNet) -> list[tuple[int, int]]:
    cells = net.attention_cells()
    return [(cell.resnet.out_channels, cell.audio.block.attn1.to_q.out_features) for cell in cells]


def test_released_audio_parts_are_as_wide_as_their_levels_input(full_size) -> None:
    ours, released = full_size
    down = [(320, 320), (320, 320), (640, 320), (640, 640), (1280, 640), (1280, 1280)]
    up = [(1280, 640)] * 3 + [(640, 320)] * 3 + [(320, 320)] * 3
    assert audio_widths(released) == [*down, (1280, 1280), *up]
    assert all(width == channels for channels, width in audio_widths(ours))


def test_full_size_denoisers_have_the_known_number_of_parameters(full_size) -> None:
    millions = [sum(p.numel() for p in net.parameters()) / 1e6 for net in full_size]
    assert [round(m, 1) for m in millions] == [1524.7, 1345.2]


def test_an_image_denoiser_has_neither_audio_nor_time() -> None:
    net = tiny_denoiser(extras=Extras(temporal=False))
    assert all(cell.audio is None and cell.temporal is None for cell in net.attention_cells())
    with torch.no_grad():
        assert net(normal(1, 2, 1, 4, 8, 12), times(2), replace(simple(1), identity=normal(1, 2, 3, 12))).shape[1] == 1


def test_new_weights_start_as_the_image_model() -> None:
    """Zero convolutions and zero output projections: neither sound nor time says anything before training."""
    net = DenoisingUNet(SPEC, EXTRAS)
    for cell in net.attention_cells():
        redraw(cell.spatial)
        fusion, temporal = cell.audio.block.fusion, cell.temporal
        assert not any(p.any() for conv in fusion.zero_conv for p in conv.parameters())
        assert not any(p.any() for p in temporal.proj_out.parameters())
    cond = simple(size=LATENTS)
    cond = replace(cond, masks=MaskPyramid.from_masks(uniform(3, 1, 3, 20, 28), LATENTS, 3))
    with torch.no_grad():
        heard = net(noisy(), times(), cond)
        assert torch.equal(heard, net(noisy(), times(), replace(cond, audio=cond.audio * 5)))
        one = net(noisy()[:, :1], times(), replace(cond, frames=1, audio=cond.audio[:, :1]))
    torch.testing.assert_close(heard[:, :1], one, **CLOSE)


@torch.no_grad()
def test_a_reference_may_be_an_input_and_absent_it_is_zeros() -> None:
    net = redraw(DenoisingUNet(SPEC, EXTRAS, reference_input=True))
    assert net.conv_in.in_channels == 2 * SPEC.in_channels
    hallo = tiny_hallo()
    hallo.denoiser = net
    cond = conditioned(hallo, tiny_clip(batch=2))
    x, t = noisy(2), torch.tensor([500, 900])
    assert cond.reference is not None
    seen = net(x, t, cond)
    assert (seen - net(x, t, replace(cond, reference=cond.reference.flip(0)))).abs().max() > 0.01
    zeros = replace(cond, reference=torch.zeros_like(cond.reference))
    torch.testing.assert_close(net(x, t, replace(cond, reference=None)), net(x, t, zeros), **CLOSE)
    plain = tiny_denoiser()
    assert torch.equal(plain(x, t, cond), plain(x, t, replace(cond, reference=None)))


@torch.no_grad()
def test_a_quiet_start_predicts_zeros() -> None:
    hallo = tiny_hallo()
    net = DenoisingUNet(SPEC, EXTRAS, zero_output=True)
    assert not net(noisy(), torch.tensor([500]), conditioned(hallo, tiny_clip())).any()
