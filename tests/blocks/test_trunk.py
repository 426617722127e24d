"""The trunk: shapes, tokens, checkpointing, names."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from hallo_lit.blocks.cell import Cell, UNetSpec
from hallo_lit.blocks.trunk import Trunk
from hallo_lit.structs import Conditioning
from tiny_hallo import CLOSE, SPEC, Calls, normal, redraw

N, H, W = 2, 8, 24


def trunk(spec: UNetSpec = SPEC, checkpointing: bool = False) -> Trunk:
    return redraw(Trunk(spec, checkpointing=checkpointing))


def walk(net: Trunk, keep: bool = False, x: torch.Tensor | None = None):
    x = normal(1, N, net.spec.channels[0], H, W) if x is None else x
    cond = Conditioning(1, normal(2, len(x), 3, SPEC.context_dim), torch.ones(3))
    return net.walk(x, net.time(torch.full((len(x),), 7), x), cond, keep)


def test_it_ends_as_it_began_and_reports_every_block() -> None:
    net = trunk()
    x, tokens = walk(net, keep=True)
    assert x.shape == (N, SPEC.channels[0], H, W)
    sizes = [(H * W, 16), (H * W // 4, 32), (H * W // 16, 32), *[(H * W // 4, 32)] * 2, *[(H * W, 16)] * 2]
    assert [tuple(t.shape[1:]) for t in tokens] == sizes


def test_tokens_are_collected_on_demand_only() -> None:
    net = trunk()
    x, tokens = walk(net)
    assert tokens == ()
    assert torch.equal(x, walk(net, keep=True)[0])


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, layers=2),
        replace(SPEC, channels=(16, 32), attention=(True, True)),
        replace(SPEC, channels=(8, 16, 16, 24), attention=(False, True, False, True)),
        replace(SPEC, channels=(16,), attention=(True,)),
    ],
)
def test_any_shape_of_trunk_works(spec: UNetSpec) -> None:
    net = trunk(spec)
    x, tokens = walk(net, keep=True)
    assert x.shape == (N, spec.channels[0], H, W)
    assert len(tokens) == len(list(net.attention_cells()))
    wanted = sum(spec.layers * 2 + 1 for attention in spec.attention if attention) + 1  # down, up, and one across
    assert len(tokens) == wanted


def test_attention_cells_come_in_the_order_of_execution() -> None:
    net, order = trunk(), []
    for module in net.modules():
        if isinstance(module, Cell):
            module.register_forward_hook(lambda cell, *_: order.append(cell))
    walk(net)
    assert [cell for cell in order if cell.index is not None] == list(net.attention_cells())
    assert [cell.index for cell in net.attention_cells()] == list(range(7))
    levels = [cell.level for cell in order]
    assert levels == [0, 1, 2, 2, 2, 2, 2, 1, 1, 0, 0]  # down, across twice, up


def test_skips_join_their_own_level() -> None:
    """The widths of the up path's resnets, for Stable Diffusion 1.5."""
    with torch.device("meta"):
        net = Trunk(UNetSpec())
    widths = [[cell.resnet.in_channels for cell in level.cells] for level in net.up]
    assert widths == [[2560, 2560, 2560], [2560, 2560, 1920], [1920, 1280, 960], [960, 640, 640]]


def test_names_are_registered_once() -> None:
    net = trunk()
    names = list(net.state_dict())
    assert len({t.data_ptr() for t in net.state_dict().values()}) == len(names)
    assert not any("Conv2d_0" in name for name in names)
    assert "down.0.resample.op.weight" not in names  # the name only keeps diffusers from registering it twice
    assert "down.0.resample.conv.weight" in names
    assert "down.0.cells.0.spatial.block.attn1.to_q.weight" in names


def test_checkpointing_changes_no_value_and_no_gradient() -> None:
    found = []
    for checkpointing in (False, True):
        net = trunk(checkpointing=checkpointing)
        x = normal(1, N, SPEC.channels[0], H, W).requires_grad_()
        out, tokens = walk(net, keep=True, x=x)
        (out.square().sum() + sum(t.square().sum() for t in tokens)).backward()
        grads = {name: p.grad for name, p in net.named_parameters() if p.grad is not None}
        found.append((out.detach(), len(tokens), x.grad, grads))
    (plain, count, plain_x, plain_grads), (again, count_again, again_x, again_grads) = found
    assert torch.equal(plain, again)
    assert count == count_again == 7
    torch.testing.assert_close(plain_x, again_x, **CLOSE)
    assert plain_grads.keys() == again_grads.keys()
    for name, grad in plain_grads.items():
        torch.testing.assert_close(again_grads[name], grad, **CLOSE)


@pytest.mark.parametrize("training", [True, False])
def test_checkpointing_runs_every_cell_again_for_its_gradient(training: bool) -> None:
    net = trunk(checkpointing=True).train(training)  # asked for, it happens in either mode
    calls = Calls(net.mid.cells[0])
    x, _ = walk(net)
    assert len(calls) == 1
    x.sum().backward()
    assert len(calls) == 2
    with torch.no_grad():
        walk(net)
    assert len(calls) == 3


def test_a_time_embedding_tells_timesteps_apart_in_any_precision() -> None:
    net, like = trunk(), torch.zeros(1)
    near = net.time(torch.tensor([998, 999]), like)
    assert near.shape == (2, 4 * SPEC.channels[0])
    assert not torch.equal(near[0], near[1])
    net.bfloat16()
    sinusoids = []
    net.time_embedding.register_forward_pre_hook(lambda _, args: sinusoids.append(args[0]))
    net.time(torch.tensor([999]), like.bfloat16())
    exact = net.time_proj(torch.tensor([999]))
    assert torch.equal(sinusoids[0], exact.bfloat16())  # rounded once, not computed in bf16
