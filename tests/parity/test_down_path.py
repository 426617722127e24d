"""The way down through both UNets equals what was recorded along the original's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from cases_unets import guided
from torch import Tensor, nn
from vector_nets import PRECISE, RELEASED, Quirks, extras, spec
from vector_set import Case, VectorSet

from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.face_locator import FaceLocator
from hallo_lit.components.hallo import Hallo
from hallo_lit.components.projections import IdentityProjection
from hallo_lit.components.reference_net import ReferenceNet
from hallo_lit.components.vae import LatentCodec
from hallo_lit.structs import Conditioning
from hallo_lit.weights.formats.hallo import denoiser
from hallo_lit.weights.formats.sd15 import reference
from hallo_lit.weights.keymap import Format, convert

GOLDEN = Path(__file__).parents[1] / "golden" / "hallo"


class DownPath(VectorSet):
    """down_path.json and its tensors, told like a set with case 08 alone."""

    def __init__(self) -> None:
        about = json.loads((GOLDEN / "down_path.json").read_text())
        files = {"io": "down_path.safetensors", "state_dict": "down_path.safetensors"}
        self.folder = GOLDEN
        self.cases = {"case08": {"config": about["config"], "files": files, "tolerance": {}}}
        self.tolerance: dict[str, float] = about["tolerance"]


def partly_filled(net: nn.Module, state: dict[str, Tensor], fmt: Format) -> nn.Module:
    """The network with the recorded weights of its way down; what lies beyond stays random and is never compared."""
    own, made = net.state_dict(), convert(state, fmt, net.state_dict()).state
    assert made.keys() <= own.keys()
    beyond = ("up.", "mid.", "down.3.", "norm_out.", "conv_out.")
    missing = [k for k in own if k not in made and not k.startswith(beyond)]
    unseen = (
        "down.2.resample.",
        "down.2.cells.0.spatial.",
    )  # the ReferenceNet's, after its last tokens of the way down
    assert all(k.startswith(unseen) for k in missing)
    net.load_state_dict({**own, **made})
    return net


@pytest.fixture(scope="module")
def vectors() -> DownPath:
    return DownPath()


def halves(vectors: DownPath, quirks: Quirks) -> Hallo:
    size = spec(vectors)
    return Hallo(
        LatentCodec((8,), groups=4),
        partly_filled(ReferenceNet(size), vectors.part("reference_unet."), reference(len(size.channels), size.layers)),
        partly_filled(
            DenoisingUNet(size, extras(vectors)), vectors.part("denoising_unet."), denoiser(len(size.channels))
        ),
        FaceLocator(size.channels[0]),
        IdentityProjection(),
        None,
        quirks,
    )


@torch.inference_mode()
def test_the_reference_net_sees_what_the_original_sees(vectors: DownPath) -> None:
    case = Case(vectors, "case08")
    latents, identity = case["single.latents"], case["single.encoder_hidden_states"]
    tokens = halves(vectors, PRECISE).reference_net(latents[:, None], identity[:, None])
    wanted = case.io["out.single.bank.00"]  # of the third attention block
    torch.testing.assert_close(tokens.portrait[2][:, 0], wanted, rtol=0, atol=vectors.tolerance["out.single.bank.00"])


def traced(net: Hallo, case: Case, cond: Conditioning) -> dict[str, Tensor]:
    """What leaves every level of the way down, (b, f, c, h, w)."""
    seen: dict[str, Tensor] = {}
    handles = [
        level.resample.register_forward_hook(
            lambda _, args, out, i=i: seen.update({f"down_blocks.{i}": out.unflatten(0, (-1, cond.frames))})
        )
        for i, level in enumerate(net.denoiser.down[:3])
    ]
    sample, t = case["cfg.sample"].transpose(1, 2), case["cfg.timestep"]
    batch = len(cond.identity)
    net(sample.expand(batch, *sample.shape[1:]), t.expand(batch), cond)
    for handle in handles:
        handle.remove()
    return seen


@torch.inference_mode()
def test_the_denoiser_goes_down_as_the_original_does(vectors: DownPath) -> None:
    """Reference attention, narrow audio blocks and motion frames included, in the conditional pass."""
    case, net = Case(vectors, "case08"), halves(vectors, PRECISE)
    cond = guided(net, case)
    seen = traced(net, case, cond)
    prefix = "trace.cfg_bank_fp32."
    recorded = {k.removeprefix(prefix): t for k, t in case.io.items() if k.startswith(prefix)}
    assert recorded.keys() == seen.keys()
    for name, ours in seen.items():
        errors = (ours.transpose(1, 2) - recorded[name]).abs().amax((1, 2, 3, 4))
        assert errors.min() < 2e-5, (name, errors)
    for lost in ("portrait", "motion", "audio"):
        other = traced(net, case, replace(cond, **{lost: None}))
        errors = (other["down_blocks.2"].transpose(1, 2) - recorded["down_blocks.2"]).abs().amax((1, 2, 3, 4))
        assert errors.min() > 1e-3, lost


@torch.inference_mode()
def test_rounded_tokens_are_a_difference_that_the_comparison_sees(vectors: DownPath) -> None:
    case = Case(vectors, "case08")
    exact, rounded = (
        traced(net, case, guided(net, case))["down_blocks.2"]
        for net in (halves(vectors, PRECISE), halves(vectors, RELEASED))
    )
    assert 1e-5 < (exact - rounded).abs().max() < 1e-2
