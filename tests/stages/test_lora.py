from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from hallo_lit.errors import UserError
from hallo_lit.stages.lora import Lora, inject, merged

from .small import batch_of, stage_of


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict({"attn": nn.ModuleDict({"to_q": nn.Linear(6, 6), "to_k": nn.Linear(6, 4)})})


def test_adapters_change_nothing_until_they_are_trained() -> None:
    net, x = network(), torch.randn(2, 6)
    before = net["attn"]["to_q"](x)  # type: ignore[index]
    inject(net, Lora(["*.to_q"], rank=2, alpha=4))
    assert torch.equal(net["attn"]["to_q"](x), before)  # type: ignore[index]
    assert not any("lora" in name for name, _ in net["attn"]["to_k"].named_parameters())  # type: ignore[index]


def test_merging_gives_the_same_function_under_the_old_names() -> None:
    net, x = network(), torch.randn(2, 6)
    names = set(net.state_dict())
    inject(net, Lora(["*.to_*"], rank=2, alpha=4))
    for name, parameter in net.named_parameters():
        if "lora" in name:
            nn.init.normal_(parameter)
    adapted = net["attn"]["to_q"](x)  # type: ignore[index]
    whole = merged(net)
    torch.testing.assert_close(whole["attn"]["to_q"](x), adapted)  # type: ignore[index]
    assert set(whole.state_dict()) == names
    assert any("lora" in name for name in net.state_dict())  # the trained network keeps its adapters


def test_a_target_that_names_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="to_v"):
        inject(network(), Lora(["*.to_q", "*.to_v"]))


def test_only_the_factors_train(store: Path) -> None:
    stage: Any = stage_of(store, "stage=identity")
    stage.adapt()
    stage.setup("fit")
    batch = batch_of(store, "stage=identity")
    stage.losses(batch, stage.streams(batch.index, validating=True), stage.objective.drop_rates).loss.backward()
    found = {name for name, parameter in stage.network.named_parameters() if parameter.grad is not None}
    assert found
    assert all("lora_" in name for name in found)
    assert found == {name for name, parameter in stage.network.named_parameters() if parameter.requires_grad}
