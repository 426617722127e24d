"""Every table on a state dict in foreign names: convert, load strictly, compare tensor by tensor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from hallo_lit.factory import build
from hallo_lit.weights.formats import SOURCES, depth, recognise
from hallo_lit.weights.formats.hallo import denoiser
from hallo_lit.weights.formats.sd15 import reference
from hallo_lit.weights.formats.vae import VAE
from hallo_lit.weights.keymap import inverse
from hallo_lit.weights.layouts import layouts
from hallo_lit.weights.matching import Networks, load_foreign, match
from hallo_lit.weights.strict import KeyMismatch

Published = Mapping[str, dict[str, Tensor]]


@pytest.mark.parametrize("name", ["hallo", "sd15-unet", "animatediff-v2", "sd-vae-ft-mse", "wav2vec2-base-960h"])
def test_every_published_key_is_placed_or_dropped_for_a_reason(
    name: str, published: Published, networks: Networks
) -> None:
    source = recognise(published[name])
    assert source is not None
    assert source.name == name
    made = match(source, published[name], networks)
    assert made.report(networks, complete=False).fits
    placed = {key for part in made.parts.values() for key in part.origin.values()}
    lost = [key for keys in made.dropped.values() for key in keys]
    assert placed.isdisjoint(lost)
    assert placed.union(lost) == set(published[name])


def test_the_released_net_fills_five_networks_to_the_last_key(published: Published, networks: Networks) -> None:
    source = recognise(published["hallo"])
    assert source is not None
    made = match(source, published["hallo"], networks)
    assert made.report(networks).fits
    assert {why: len(keys) for why, keys in made.dropped.items()} == {
        "beyond the ReferenceNet's last tokens, read by nothing": 20,
        "motion modules of the level without attention, which the original never runs": 140,
        "second copy of the position table, which a block holds once": 16,
    }


def test_values_arrive_where_the_names_say(published: Published, tiny: dict[str, Any]) -> None:
    model = build(tiny["model"])
    prefix = "denoising_unet."
    state = {key.removeprefix(prefix): t for key, t in published["hallo"].items() if key.startswith(prefix)}
    load_foreign(model.denoiser, state, denoiser(), "net.pth")
    up = model.denoiser.up[1].cells[2]
    theirs = "up_blocks.1.audio_modules.2.transformer_blocks.0."
    assert torch.equal(up.audio.block.fusion.attn[2].to_k.weight, state[f"{theirs}attn2_2.to_k.weight"])
    for index, region in enumerate(("full", "face", "lip")):
        kernel = state[f"{theirs}zero_conv_{region}.weight"]
        assert kernel.ndim == 4
        assert torch.equal(up.audio.block.fusion.zero_conv[index].weight, kernel[..., 0, 0])
    theirs = "mid_block.motion_modules.0.temporal_transformer.transformer_blocks.0."
    block = model.denoiser.mid.cells[0].temporal.blocks[0]
    assert torch.equal(block.attn2.to_q.weight, state[f"{theirs}attention_blocks.1.to_q.weight"])
    assert torch.equal(block.norm3.bias, state[f"{theirs}ff_norm.bias"])
    spatial = model.denoiser.down[2].cells[1].spatial
    theirs = "down_blocks.2.attentions.1.transformer_blocks.0."
    assert torch.equal(spatial.block.attn2.to_v.weight, state[f"{theirs}attn2.to_v.weight"])
    assert torch.equal(model.denoiser.up[0].resample.conv.weight, state["up_blocks.0.upsamplers.0.conv.weight"])
    assert torch.equal(model.denoiser.down[0].resample.conv.weight, state["down_blocks.0.downsamplers.0.conv.weight"])


def test_both_generations_of_vae_names_load_the_same(published: Published, tiny: dict[str, Any]) -> None:
    old = published["sd-vae-ft-mse"]
    words = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
    new = {re.sub(r"\.(query|key|value|proj_attn)\.", lambda m: f".{words[m[1]]}.", key): t for key, t in old.items()}
    assert new.keys() != old.keys()
    first, second = build(tiny["model"]).codec, build(tiny["model"]).codec
    load_foreign(first, old, VAE, "old")
    load_foreign(second, new, VAE, "new")
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    kernels = {key: t[..., None, None] if key.endswith("query.weight") else t for key, t in old.items()}
    load_foreign(second, kernels, VAE, "as convolutions")


def test_a_model_that_runs_the_deepest_motion_modules_keeps_them(published: Published, tiny: dict[str, Any]) -> None:
    extras = {**tiny["model"]["denoiser"]["extras"], "deepest_motion": True}
    net = build({**tiny["model"]["denoiser"], "extras": extras})
    prefix = "denoising_unet."
    keys = {key.removeprefix(prefix): tuple(t.shape) for key, t in published["hallo"].items() if key.startswith(prefix)}
    wanted = net.state_dict()
    fmt = denoiser()
    deepest = [key for key in keys if key.startswith("down_blocks.3.motion_modules.")]
    ours = [fmt.rename(key) for key in deepest if not key.endswith("attention_blocks.1.pos_encoder.pe")]
    assert len(ours) == 54
    assert all(name in wanted for name in ours)


@pytest.mark.parametrize(("levels", "layers"), [(2, 1), (3, 2), (4, 3)])
def test_tables_follow_the_depth_of_the_network(levels: int, layers: int) -> None:
    names = [f"down_blocks.{i}.resnets.{j}.norm1.weight" for i in range(levels) for j in range(layers)]
    assert depth(names) == (levels, layers)
    fmt = reference(levels, layers)
    assert fmt.why_drop(f"up_blocks.{levels - 1}.attentions.{layers}.proj_out.weight")
    assert not fmt.why_drop(f"up_blocks.{levels - 1}.attentions.{layers}.transformer_blocks.0.norm1.weight")
    assert not fmt.why_drop(f"up_blocks.{levels - 1}.attentions.{layers - 1}.proj_out.weight")
    assert denoiser(levels).why_drop(f"down_blocks.{levels - 1}.motion_modules.0.x")
    assert not denoiser(levels).why_drop(f"down_blocks.{levels - 2}.motion_modules.0.x")


def test_sd15_has_an_inverse() -> None:
    names = list(layouts()["sd15-unet"])
    turned = inverse(names, reference())
    assert len(turned) == len(names)
    assert turned["down.1.cells.0.spatial.block.attn1.to_q.weight"] == (
        "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    )


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (lambda key: key.removeprefix("reference_unet."), "hallo-reference"),
        (lambda key: key.removeprefix("denoising_unet."), "hallo-denoiser"),
        (lambda key: key.removeprefix("face_locator."), "hallo-face-locator"),
        (lambda key: key.removeprefix("imageproj."), "hallo-image-projection"),
        (lambda key: key.removeprefix("audioproj."), "hallo-audio-projection"),
    ],
)
def test_module_files_are_recognised_by_their_keys(keep: Any, expected: str) -> None:
    names = [keep(key) for key in layouts()["hallo"] if keep(key) != key]
    found = recognise(names)
    assert found is not None
    assert found.name == expected


def test_unknown_keys_are_recognised_as_nothing() -> None:
    assert recognise(["a.weight", "b.bias"]) is None
    assert len({source.name for source in SOURCES}) == len(SOURCES)


def test_a_lost_tensor_is_named(published: Published, tiny: dict[str, Any]) -> None:
    state = dict(published["sd-vae-ft-mse"])
    del state["decoder.mid_block.attentions.0.query.bias"]
    with pytest.raises(KeyMismatch, match=r"1 missing \(vae\.decoder\.mid_block\.attentions\.0\.to_q\.bias\)"):
        load_foreign(build(tiny["model"]).codec, state, VAE, "vae")
