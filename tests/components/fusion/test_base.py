"""What every mechanism of the folder promises; a new file there is tested without a change here."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
import torch

from hallo_lit.components import fusion
from hallo_lit.components.fusion.base import FULL, AudioFusion, RegionalFusion
from hallo_lit.components.fusion.convolution import ConvolutionFusion
from hallo_lit.components.fusion.direct_addition import DirectAdditionFusion
from hallo_lit.components.fusion.gated import GatedFusion
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.errors import UserError
from hallo_lit.structs import REGIONS, Drop
from tiny_hallo import CLOSE, conditioned, noisy, normal, redraw, tiny_clip, tiny_hallo, uniform

DIM, HEADS, AUDIO, N, H, W = 8, 2, 6, 4, 3, 5


def mechanisms() -> list[type[AudioFusion]]:
    """Every class that can be built, in the order of the files."""
    found = []
    for module in pkgutil.iter_modules(fusion.__path__):
        if module.name != "base":
            loaded = importlib.import_module(f"{fusion.__name__}.{module.name}")
            classes = (value for value in vars(loaded).values() if isinstance(value, type))
            found += [c for c in classes if issubclass(c, AudioFusion) and c.__module__ == loaded.__name__]
    return found


every_mechanism = pytest.mark.parametrize("mechanism", mechanisms(), ids=lambda c: c.__name__)


def inputs():
    """x, audio, masks and scale."""
    return normal(1, N, H * W, DIM), normal(2, N, 5, AUDIO), uniform(3, N, 3, H, W), torch.tensor([0.5, 1.0, 2.0])


def made(mechanism: type[AudioFusion]) -> AudioFusion:
    return redraw(mechanism(DIM, HEADS, AUDIO))


def test_the_folder_is_not_empty() -> None:
    assert len(mechanisms()) >= 5


@every_mechanism
@torch.no_grad()
def test_silence_equals_zero_tokens(mechanism: type[AudioFusion]) -> None:
    net, (x, audio, masks, scale) = made(mechanism), inputs()
    silence = net(x, None, masks, scale)
    assert silence.expand_as(x).shape == x.shape
    zeros = net(x, torch.zeros_like(audio), masks, scale)
    torch.testing.assert_close(silence.expand_as(zeros), zeros, **CLOSE)


@every_mechanism
@torch.no_grad()
def test_it_hears(mechanism: type[AudioFusion]) -> None:
    net, (x, audio, masks, scale) = made(mechanism), inputs()
    heard = net(x, audio, masks, scale)
    assert heard.shape == x.shape
    assert (heard - net(x, None, masks, scale)).abs().max() > 0.01
    assert (heard - net(x, audio.flip(-1), masks, scale)).abs().max() > 0.01


@every_mechanism
@torch.no_grad()
def test_rows_do_not_mix(mechanism: type[AudioFusion]) -> None:
    net, (x, audio, masks, scale) = made(mechanism), inputs()
    heard = net(x, audio, masks, scale)
    torch.testing.assert_close(net(x[2:3], audio[2:3], masks[2:3], scale), heard[2:3], **CLOSE)


@every_mechanism
def test_every_parameter_learns(mechanism: type[AudioFusion]) -> None:
    net = made(mechanism)
    net(*inputs()).square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


@every_mechanism
@torch.no_grad()
def test_it_works_in_the_whole_model(mechanism: type[AudioFusion]) -> None:
    hallo = tiny_hallo(fusion=mechanism)
    cond = conditioned(hallo, tiny_clip())
    out = hallo(noisy(), torch.tensor([500]), cond)
    assert out.isfinite().all()
    silent = hallo(noisy(), torch.tensor([500]), cond.row(0, Drop.where(1, ("audio",))))
    assert (out - silent).abs().max() > 0.01


# those that are nothing but a sum over branches
MASKED = (HierarchicalFusion, DirectAdditionFusion, GatedFusion, ConvolutionFusion)
regional = pytest.mark.parametrize("mechanism", MASKED, ids=lambda c: c.__name__)


@regional
@torch.no_grad()
def test_a_branch_sees_its_region_and_its_scale_only(mechanism: type[RegionalFusion]) -> None:
    x, audio, masks, scale = inputs()
    for i, region in enumerate(REGIONS):
        net = redraw(mechanism(DIM, HEADS, AUDIO, branches=[region]))
        heard = net(x, audio, masks, scale)
        others = [j for j in range(3) if j != i]
        masks_of_others, scales_of_others = masks.clone(), scale.clone()
        masks_of_others[:, others], scales_of_others[others] = 0, 9.0
        assert torch.equal(net(x, audio, masks_of_others, scales_of_others), heard)
        torch.testing.assert_close(net(x, audio, masks, scale * 2), heard * 2, **CLOSE)
        assert (net(x, audio, 1 - masks, scale) - heard).abs().max() > 1e-3


@regional
@torch.no_grad()
def test_branches_add_up(mechanism: type[RegionalFusion]) -> None:
    x, audio, masks, scale = inputs()
    whole, total = made(mechanism), torch.zeros_like(x)
    for i, region in enumerate(REGIONS):
        alone = mechanism(DIM, HEADS, AUDIO, branches=[region])
        for name, parts in whole.named_children():  # lists with one entry per branch
            own = getattr(alone, name)
            own.load_state_dict(type(parts)([parts[i]]).state_dict())
        total += alone(x, audio, masks, scale)
    torch.testing.assert_close(whole(x, audio, masks, scale), total, **CLOSE)


@regional
@torch.no_grad()
def test_the_full_branch_knows_no_regions(mechanism: type[RegionalFusion]) -> None:
    net, (x, audio, masks, scale) = redraw(mechanism(DIM, HEADS, AUDIO, branches=[FULL])), inputs()
    heard = net(x, audio, masks, scale)
    assert torch.equal(net(x, audio, 1 - masks, scale * 3), heard)
    one = redraw(mechanism(DIM, HEADS, AUDIO, branches=["pose"]))
    everywhere = one(x, audio, torch.ones_like(masks), torch.ones(3))
    torch.testing.assert_close(heard, everywhere, **CLOSE)


@regional
@pytest.mark.parametrize("branches", [[], ["mouth"], ["lip", "nose"]])
def test_unknown_branches_are_refused(mechanism: type[RegionalFusion], branches: list[str]) -> None:
    with pytest.raises(UserError, match="choose among pose, face, lip, full"):
        mechanism(DIM, HEADS, AUDIO, branches=branches)


def test_a_mechanism_without_forward_says_so() -> None:
    class Unfinished(AudioFusion):
        pass

    with pytest.raises(TypeError, match="Unfinished does not define forward"):
        Unfinished()(*inputs())
