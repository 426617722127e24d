from __future__ import annotations

import errno
import os

import pytest
import torch
from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hallo_lit.cli.compose import compose
from hallo_lit.cli.explain import check_types, nearest, sentence
from hallo_lit.cli.verbs import by_name
from hallo_lit.errors import UserError

ANIMATE = by_name()["animate"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("portait", " (did you mean portrait?)"),
        ("sampler.stepps", " (did you mean sampler.steps?)"),
        ("stepps", " (did you mean sampler.steps?)"),
        ("xyzzy", ""),
    ],
)
def test_the_nearest_name_is_offered(name: str, said: str) -> None:
    assert nearest(name, ["portrait", "audio", "sampler.steps", "size.codec.layers"]) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("As it is."), "As it is."),
        (OSError(errno.ENOSPC, "No space left on device", "talk.mp4"), "disk is full: talk.mp4"),
        (PermissionError(errno.EACCES, "Permission denied", "/root/talk.mp4"), "No permission to use /root/talk.mp4"),
        (torch.OutOfMemoryError("CUDA out of memory."), "preset=low_memory"),
        (
            MissingConfigException("", os.path.join("hydra", "sweeper", "optuna"), ["basic"]),
            "hydra/sweeper=optuna is a package of its own: install hallo-lit[launchers]; without it there is basic.",
        ),
        (ZeroDivisionError("ours"), ""),
        (FileNotFoundError(errno.ENOENT, "ours, too", "x"), ""),
    ],
)
def test_what_the_user_can_mend_becomes_a_sentence(error: Exception, said: str) -> None:
    found = sentence(error, ANIMATE)
    assert said in found
    assert bool(found) == bool(said)


def test_a_value_that_must_be_given_is_named() -> None:
    with pytest.raises(OmegaConfBaseException) as missing:
        OmegaConf.select(OmegaConf.create({"stage": {"store": "???"}}), "stage.store", throw_on_missing=True)
    assert "needs stage.store=..." in sentence(missing.value, ANIMATE)


def test_a_group_that_lies_within_another_is_shown_its_place() -> None:
    with pytest.raises(ConfigCompositionException) as wrong:
        compose("animate", "codec=patch")
    assert "set codec@size.codec=NAME" in sentence(wrong.value, ANIMATE)
    assert compose("animate", "codec@size.codec=patch").size.codec.factor == 8


@pytest.mark.parametrize("value", ["3", "null"])
def test_a_group_that_is_no_name_is_explained(value: str) -> None:
    with pytest.raises(ValueError, match="must be a string") as wrong:
        compose("animate", f"face_encoder={value}")
    assert "'~group' leaves it out" in sentence(wrong.value, ANIMATE)


def test_types_are_those_of_the_chosen_groups() -> None:
    words = ["sampler=dpm", "sampler.steps=3", "cfg_scale=2", "face=1", "seed=null"]
    check_types(ANIMATE, compose("animate", *words), words)
    with pytest.raises(UserError, match=r"sampler\.steps must be a whole number, not 'few'"):
        check_types(ANIMATE, compose("animate", "sampler.steps=few"), ["sampler.steps=few"])
