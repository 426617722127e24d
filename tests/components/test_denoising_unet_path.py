"""The denoiser has one forward path: modes, checkpointing and compilation change no value."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hallo_lit.components.hallo import Hallo
from hallo_lit.structs import Conditioning
from tiny_hallo import (
    CLOSE,
    LATENTS,
    SPEC,
    conditioned,
    noisy,
    normal,
    simple,
    times,
    tiny_clip,
    tiny_denoiser,
    tiny_hallo,
)

ONE_LEVEL = replace(SPEC, channels=(16,), attention=(True,))
TWO_LEVELS = replace(SPEC, channels=(16, 16), attention=(True, False))


@pytest.fixture(scope="module")
def hallo() -> Hallo:
    return tiny_hallo().requires_grad_(False)


def given(hallo: Hallo, batch: int = 1, own_masks: bool = False, **other: Any) -> Conditioning:
    return conditioned(hallo, tiny_clip(batch, own_masks=own_masks, **other))


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
