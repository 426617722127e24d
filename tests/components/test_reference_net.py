"""The ReferenceNet: what it reports, for whom, and where it ends."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.blocks.cell import UNetSpec
from hallo_lit.blocks.spatial import TokenTap
from hallo_lit.components.reference_net import ReferenceNet
from tiny_hallo import CLOSE, SPEC, Calls, normal, redraw

H, W = 8, 12


def net(checkpointing: bool = False) -> ReferenceNet:
    return redraw(ReferenceNet(SPEC, checkpointing))


def rows(batch: int = 2, count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    return normal(1, batch, count, 4, H, W), normal(2, batch, count, 3, SPEC.context_dim)


@torch.no_grad()
def test_tokens_are_split_into_portrait_and_motion() -> None:
    latents, identity = rows()
    tokens = net()(latents, identity)
    assert len(tokens.portrait) == len(tokens.motion) == 7
    sizes = [(H * W, 16), (H * W // 4, 32), (H * W // 16, 32), *[(H * W // 4, 32)] * 2, *[(H * W, 16)] * 2]
    for portrait, motion, (length, width) in zip(tokens.portrait, tokens.motion, sizes, strict=True):
        assert portrait.shape == (2, 1, length, width)
        assert motion.shape == (2, 2, length, width)


@torch.no_grad()
def test_rows_do_not_meet() -> None:
    latents, identity = rows()
    whole = net()(latents, identity)
    portrait = net()(latents[:, :1], identity[:, :1])
    motion = net()(latents[:, 1:], identity[:, 1:], portraits=0)
    assert all(m.shape[1] == 0 for m in portrait.motion)
    assert all(p.shape[1] == 0 for p in motion.portrait)
    for i in range(7):
        torch.testing.assert_close(portrait.portrait[i], whole.portrait[i], **CLOSE)
        torch.testing.assert_close(motion.motion[i], whole.motion[i], **CLOSE)


@torch.no_grad()
def test_every_row_reads_its_own_identity() -> None:
    latents, identity = rows(1)
    before = net()(latents, identity).motion[-1]
    identity[0, 2] += 1
    after = net()(latents, identity).motion[-1]
    assert torch.equal(after[0, 0], before[0, 0])
    assert (after[0, 1] - before[0, 1]).abs().max() > 0.01


def test_nothing_beyond_the_last_tokens_is_kept_or_run() -> None:
    made = net()
    last = made.up[-1].cells[-1]
    assert isinstance(last.spatial, TokenTap)
    made(*rows())
    names = [name for name, _ in made.named_parameters() if name.startswith("up.2.cells.1.spatial.")]
    assert {name.split("spatial.")[1].split(".")[0] for name in names} == {"norm", "proj_in", "block"}
    assert not any("proj_out" in name or "attn" in name or "ff" in name for name in names)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_every_parameter_gets_a_gradient(checkpointing: bool) -> None:
    made = net(checkpointing)
    tokens = made(*rows())
    sum(t.square().sum() for part in (tokens.portrait, tokens.motion) for t in part).backward()
    without = [name for name, p in made.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


def test_checkpointing_changes_no_token_and_collects_none_twice() -> None:
    plain, checkpointed = net()(*rows()), net(True)(*rows())
    assert len(checkpointed.portrait) == 7
    assert all(torch.equal(a, b) for a, b in zip(plain.motion, checkpointed.motion, strict=True))
    made = net(True)
    calls = Calls(made.mid.cells[0])
    sum(t.sum() for t in made(*rows()).motion).backward()
    assert len(calls) == 2  # once more for the gradient


@torch.no_grad()
def test_training_mode_changes_no_value() -> None:
    made = net()
    trained = made.train()(*rows()).motion
    assert all(torch.equal(a, b) for a, b in zip(trained, made.eval()(*rows()).motion, strict=True))


def test_it_has_no_audio_and_no_time() -> None:
    assert all(cell.audio is None and cell.temporal is None for cell in net().attention_cells())


def test_it_is_stable_diffusions_unet_up_to_its_last_tokens() -> None:
    with torch.device("meta"):
        made = ReferenceNet(UNetSpec())
    # 859 520 964 parameters of Stable Diffusion 1.5, less norm and convolution at the end and what follows the tap
    assert sum(p.numel() for p in made.parameters()) == 859_520_964 - 640 - 11_524 - 2_442_240


def test_what_lies_behind_the_last_tokens_is_idle() -> None:
    spec = UNetSpec(4, 4, (8, 8), (False, True), layers=1, heads=2, context_dim=8, groups=4)
    made = ReferenceNet(spec)
    tokens = made(normal(1, 1, 1, 4, 8, 8), normal(2, 1, 1, 2, 8))
    sum(each.sum() for each in tokens.portrait).backward()
    assert {name for name, parameter in made.named_parameters() if parameter.grad is None} == set(made.idle())
    assert made.idle()
    assert not ReferenceNet(UNetSpec(4, 4, (8, 8), (True, True), layers=1, heads=2, context_dim=8, groups=4)).idle()
