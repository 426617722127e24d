from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from hallo_lit.cli.compose import build_model, compose
from hallo_lit.errors import UserError
from hallo_lit.stages.trainable import FROZEN, select, table

from .small import stage_of


def network() -> nn.Module:
    return nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.ModuleDict({"c": nn.Linear(3, 1), "d": nn.Linear(3, 1)})})


def test_patterns_decide_alone_what_trains() -> None:
    net = network().requires_grad_(False)
    groups = {group.pattern: group.count for group in select(net, ["b.*.weight", "a.bias"])}
    assert groups == {"b.*.weight": 6, "a.bias": 3, FROZEN: 8}
    training = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert training == {"b.c.weight", "b.d.weight", "a.bias"}


def test_an_exclamation_mark_takes_away() -> None:
    groups = {group.pattern: group.names for group in select(network(), ["b.*", "!*.bias"])}
    assert groups["b.*"] == ("b.c.weight", "b.d.weight")


def test_a_parameter_is_counted_once() -> None:
    groups = select(network(), ["*.weight", "b.*"])
    assert sum(group.count for group in groups) == sum(parameter.numel() for parameter in network().parameters())


@pytest.mark.parametrize("patterns", [["a.*", "c.*"], ["a.*", "!c.*"], [], ["!a.*"], ["a.*", "!a.*"]])
def test_patterns_that_name_nothing_are_refused(patterns: list[str]) -> None:
    with pytest.raises(UserError):
        select(network(), patterns)


def test_the_table_has_a_row_per_pattern_and_the_sum() -> None:
    lines = table(select(network(), ["a.*", "b.c.*"])).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["a.*", "2", "9"],
        ["b.c.*", "2", "4"],
        ["(frozen)", "2", "4"],
        ["in", "all", "4", "13"],
    ]


def millions(choice: str, stage: str) -> dict[str, float]:
    cfg = compose("train", f"model={choice}", f"stage={stage}")
    with torch.device("meta"):
        model = build_model(cfg)
    return {group.pattern: round(group.count / 1e6, 1) for group in select(model, cfg.stage.learning.trains)}


def test_stage_one_of_the_released_model_trains_what_the_original_does() -> None:
    found = millions("hallo_released", "appearance")
    assert found["denoiser.*"] == 859.5
    assert found["reference_net.*"] == 857.1  # without what lies behind its last tokens
    assert found["face_locator.*"] == 0.5
    assert found["identity_projection.*"] == 1.6
    assert found[FROZEN] == 83.7


def test_stage_two_of_the_released_model_trains_what_the_original_does() -> None:
    found = millions("hallo_released", "motion")
    assert found["denoiser.*.audio.*"] == 212.8
    assert found["denoiser.*.temporal.*"] == 272.9  # the original's others never get a gradient
    assert found["audio_projection.*"] == 36.5


def test_every_stage_of_the_small_model_says_what_trains(store: Path) -> None:
    for stage in ("codec", "face_encoder", "appearance", "motion"):
        made = stage_of(store, f"stage={stage}")
        groups = select(made.network, made.learning.trains)
        assert all(group.names for group in groups if group.pattern != FROZEN)
        frozen = {name.split(".")[0] for group in groups if group.pattern == FROZEN for name in group.names}
        assert (
            frozen
            == {
                "codec": set(),
                "face_encoder": set(),
                "appearance": {"codec"},
                "motion": {"codec", "reference_net", "denoiser", "face_locator", "identity_projection"},
            }[stage]
        )
