"""The denoiser: one forward path, every size, one meaning per condition, and the sizes of released weights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hallo_lit.blocks.cell import Extras, UNetSpec
from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.components.hallo import Hallo
from hallo_lit.structs import Conditioning, Drop, KeyValue, MaskPyramid, ReferenceTokens
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
    tiny_clip,
    tiny_denoiser,
    tiny_hallo,
    uniform,
)

ONE_LEVEL = replace(SPEC, channels=(16,), attention=(True,))
TWO_LEVELS = replace(SPEC, channels=(16, 16), attention=(True, False))


@pytest.fixture(scope="module")
def hallo() -> Hallo:
    return tiny_hallo().requires_grad_(False)


def given(hallo: Hallo, batch: int = 1, own_masks: bool = False, **other: Any) -> Conditioning:
    return conditioned(hallo, tiny_clip(batch, own_masks=own_masks, **other))


def times(batch: int = 1) -> Tensor:
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


# one forward path -----------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_training_mode_changes_no_value(hallo: Hallo) -> None:
    cond = given(hallo, 2)
    trained = hallo.train()(noisy(2), times(2), cond)
    # the resnets of diffusers lay memory out differently in training, which changes the order of sums
    torch.testing.assert_close(trained, hallo.eval()(noisy(2), times(2), cond), **CLOSE)
    for name in ("motion", "portrait"):
        in_training, after = getattr(given(hallo.train(), 2), name), getattr(given(hallo.eval(), 2), name)
        torch.testing.assert_close(in_training, after, **CLOSE)


def test_checkpointing_changes_no_value_and_no_gradient() -> None:
    found = []
    for checkpointing in (False, True):
        hallo = tiny_hallo(checkpointing=checkpointing)
        out = hallo(noisy(2), times(2), given(hallo, 2))
        out.square().mean().backward()
        found.append((out.detach(), {name: p.grad for name, p in hallo.named_parameters()}))
    (plain, gradients), (again, others) = found
    assert torch.equal(plain, again)
    for name, gradient in gradients.items():
        assert (gradient is None) == (others[name] is None), name
        if gradient is not None:
            torch.testing.assert_close(others[name], gradient, rtol=1e-3, atol=1e-6, msg=name)


def snapshot(module: nn.Module) -> dict[str, Any]:
    """Every attribute of every submodule by identity, and the values of all tensors."""
    state: dict[str, Any] = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for name, part in module.named_modules():
        containers = {"_parameters", "_buffers", "_modules"}
        plain = {key: id(value) for key, value in vars(part).items() if key not in containers}
        parts = {(kind, key): id(value) for kind in containers for key, value in vars(part)[kind].items()}
        state[f"attributes of {name}"] = {**plain, **parts}
        # lists and dicts may be appended to without becoming others
        state[f"sizes in {name}"] = {k: len(v) for k, v in vars(part).items() if isinstance(v, (list, dict, set))}
    return state


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_forward_changes_nothing(checkpointing: bool) -> None:
    hallo = tiny_hallo(checkpointing=checkpointing)
    before = snapshot(hallo)
    hallo(noisy(), times(), given(hallo)).sum().backward()
    after = snapshot(hallo)
    assert before.keys() == after.keys()
    for name, value in before.items():
        same = torch.equal(value, after[name]) if isinstance(value, Tensor) else value == after[name]
        assert same, name


@pytest.fixture
def compiling() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@torch.no_grad()
def test_scales_and_timesteps_share_a_graph_and_a_null_has_its_own(compiling: None) -> None:
    """fullgraph: there is no graph break."""
    net, graphs = tiny_denoiser(TWO_LEVELS).eval(), []

    def backend(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(net, backend=backend, fullgraph=True)
    for t, scale in ((999, 1.0), (500, 0.5), (0, 2.0)):
        cond = replace(simple(portrait=t), region_scale=torch.full((3,), scale))
        x = normal(t, 1, 3, 4, *LATENTS)
        assert torch.equal(compiled(x, torch.tensor([t]), cond), net(x, torch.tensor([t]), cond))
    assert len(graphs) == 1
    for seed in (1, 2):
        null = replace(simple(), audio=None, identity=normal(seed, 1, 3, SPEC.context_dim))
        assert torch.equal(compiled(noisy(), times(), null), net(noisy(), times(), null))
    assert len(graphs) == 2


@pytest.mark.slow
@torch.no_grad()
def test_the_whole_model_compiles(compiling: None, hallo: Hallo) -> None:
    hallo.eval()
    cond = given(hallo)
    compiled = torch.compile(hallo.denoiser, backend="eager", fullgraph=True)
    assert torch.equal(compiled(noisy(), times(), cond), hallo(noisy(), times(), cond))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_gradients_are_the_same(compiling: None, backend: str) -> None:
    if backend == "inductor" and not (shutil.which("g++") or shutil.which("clang++")):
        pytest.skip("inductor needs a C++ compiler")
    found = []
    for compiled in (False, True):
        net = tiny_denoiser(ONE_LEVEL)
        run = torch.compile(net, backend=backend, fullgraph=True) if compiled else net
        out = run(noisy(), times(), simple(portrait=3))
        out.square().mean().backward()
        found.append((out.detach(), {name: p.grad for name, p in net.named_parameters()}))
    torch.testing.assert_close(found[1][0], found[0][0], **CLOSE)
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(found[1][1][name], gradient, rtol=1e-3, atol=1e-6, msg=name)


# sizes and batches ----------------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("size", [(4, 4), (4, 16), (12, 8)])
@pytest.mark.parametrize("frames", [1, 4])
def test_any_size_works(size: tuple[int, int], frames: int) -> None:
    net = tiny_denoiser()
    masks = MaskPyramid.from_masks(uniform(3, 1, 3, 20, 28), size, 3)
    x = normal(1, 1, frames, 4, *size)
    assert net(x, times(), replace(simple(frames), masks=masks)).shape == x.shape


@torch.no_grad()
@pytest.mark.parametrize("own_masks", [False, True])
def test_clips_of_a_batch_do_not_meet(hallo: Hallo, own_masks: bool) -> None:
    clip, x, t = tiny_clip(2, own_masks=own_masks), noisy(2), times(2)
    both = hallo(x, t, conditioned(hallo, clip))
    for i in range(2):
        rows = slice(i, i + 1)
        alone = type(clip)(*(getattr(clip, name)[rows] for name in clip.__dataclass_fields__))
        torch.testing.assert_close(both[rows], hallo(x[rows], t[rows], conditioned(hallo, alone)), **CLOSE)


@torch.no_grad()
def test_what_all_frames_share_may_be_given_once_or_per_frame(hallo: Hallo) -> None:
    cond = given(hallo)
    wanted = hallo(noisy(), times(), cond)
    masks = MaskPyramid(tuple(level.expand(-1, 3, -1, -1) for level in cond.masks.levels))
    location = cond.location.expand(-1, 3, -1, -1, -1)
    assert torch.equal(hallo(noisy(), times(), replace(cond, masks=masks, location=location)), wanted)
    other = replace(cond, location=torch.cat([location[:, :1], location[:, 1:] + 1], 1))
    assert not torch.equal(hallo(noisy(), times(), other), wanted)


# conditions -----------------------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("name", ["identity", "region_scale", "audio", "masks", "location", "portrait", "motion"])
def test_every_condition_matters(hallo: Hallo, name: str) -> None:
    cond = given(hallo)
    value: Any = getattr(cond, name)
    if name == "masks":
        other: Any = MaskPyramid(tuple(1 - level for level in value.levels))
    elif name == "portrait":
        other = tuple(KeyValue(pair.key, -pair.value) for pair in value)
    elif name == "motion":
        other = tuple(-tokens for tokens in value)
    else:
        other = value * -1
    wanted = hallo(noisy(), times(), cond)
    assert (hallo(noisy(), times(), replace(cond, **{name: other})) - wanted).abs().max() > 0.01
    assert (hallo(noisy(), times() - 400, cond) - wanted).abs().max() > 0.01


@torch.no_grad()
def test_region_scales_weigh_the_regions(hallo: Hallo) -> None:
    """The first cell's fusion is linear in the scales."""
    cell, updates = hallo.denoiser.down[0].cells[0], []
    handle = cell.audio.block.fusion.register_forward_hook(lambda _, args, out: updates.append(out))
    for scale in ((1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (1.0, 3.0, 1.0), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0)):
        hallo(noisy(), times(), replace(given(hallo), region_scale=torch.tensor(scale)))
    handle.remove()
    plain, *weighted, none = updates
    torch.testing.assert_close(sum(u - plain for u in weighted) / 2, plain, **CLOSE)
    assert not none.any()


@torch.no_grad()
def test_no_audio_is_zero_audio(hallo: Hallo) -> None:
    cond = given(hallo)
    silent = hallo(noisy(), times(), replace(cond, audio=None))
    zeros = hallo(noisy(), times(), replace(cond, audio=torch.zeros_like(cond.audio)))
    torch.testing.assert_close(silent, zeros, **CLOSE)
    assert (silent - hallo(noisy(), times(), cond)).abs().max() > 0.01


@torch.no_grad()
def test_a_clip_without_its_portrait_attends_to_itself_alone(hallo: Hallo) -> None:
    cond = given(hallo, 2)
    plain = hallo(noisy(2), times(2), replace(cond, portrait=None))
    mixed = hallo(noisy(2), times(2), replace(cond, keep_portrait=torch.tensor([False, True])))
    torch.testing.assert_close(mixed[:1], plain[:1], **CLOSE)
    whole = hallo(noisy(2), times(2), cond)
    torch.testing.assert_close(mixed[1:], whole[1:], **CLOSE)
    assert (whole - plain).abs().amax((1, 2, 3, 4)).min() > 0.01


@torch.no_grad()
def test_null_passes_attend_to_no_portrait_and_no_audio(hallo: Hallo) -> None:
    lengths: list[int] = []
    block = hallo.denoiser.down[0].cells[0].spatial.block
    processor, heard = block.attn1.processor, []
    block.attn1.processor = lambda q, k, v: (lengths.append(k.shape[2]), processor(q, k, v))[1]
    fusion = hallo.denoiser.down[0].cells[0].audio.block.fusion
    handle = fusion.attn[0].to_q.register_forward_hook(lambda *_: heard.append(1))
    drop = Drop.cat([Drop.unconditional(1), Drop.none(1)])
    batched = conditioned(hallo, tiny_clip(1).repeat(2), drop)
    for row in range(2):
        hallo(noisy(), times(), batched.row(row, drop))
    handle.remove()
    block.attn1.processor = processor
    tokens = LATENTS[0] * LATENTS[1]
    assert lengths == [tokens, 2 * tokens]
    assert len(heard) == 1


@torch.no_grad()
def test_frames_read_several_portraits_in_turn(hallo: Hallo) -> None:
    cond, other = given(hallo), conditioned(hallo, tiny_clip(seed=9)).portrait
    both = tuple(
        KeyValue(*(torch.cat(pair, 1) for pair in zip(a, b, strict=True)))
        for a, b in zip(cond.portrait, other, strict=True)
    )
    seen: list[Tensor] = []
    spatial = hallo.denoiser.down[0].cells[0].spatial
    handle = spatial.register_forward_hook(lambda _, args, out: seen.append(out[0]))
    for portrait in (cond.portrait, other, both):
        hallo(noisy(), times(), replace(cond, portrait=portrait))
    handle.remove()
    first, second, turns = seen
    assert torch.equal(turns[[0, 2]], first[[0, 2]])
    assert torch.equal(turns[1], second[1])


@torch.no_grad()
def test_portrait_keys_are_those_of_each_blocks_own_attention(hallo: Hallo) -> None:
    tokens = hallo.reference_net(normal(1, 2, 3, 4, *LATENTS), normal(2, 2, 3, 3, SPEC.context_dim))
    pairs = hallo.denoiser.project_portrait(tokens)
    assert len(pairs) == 7
    for cell, seen, pair in zip(hallo.denoiser.attention_cells(), tokens.portrait, pairs, strict=True):
        attn = cell.spatial.block.attn1
        assert torch.equal(pair.key.transpose(-3, -2).flatten(-2), attn.to_k(seen))
        assert torch.equal(pair.value.transpose(-3, -2).flatten(-2), attn.to_v(seen))


def test_portraits_of_another_trunk_are_refused(hallo: Hallo) -> None:
    with pytest.raises(ValueError, match="zip"):
        hallo.denoiser.project_portrait(ReferenceTokens((normal(1, 1, 1, 96, 16),), ()))


# released weights and ablations ---------------------------------------------------------------------------------------


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
