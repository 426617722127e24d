"""Guidance: which passes run, and how they are mixed."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from torch import Tensor

from hallo_lit.diffusion.guidance import (
    AudioGuidance,
    Guidance,
    IntervalGuidance,
    JointGuidance,
    NoGuidance,
    SplitGuidance,
)
from hallo_lit.structs import Conditioning, Drop
from tiny_hallo import normal


class Passes:
    """A prediction for every conditioning, told apart by their number of frames, and a record of what was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.given, self.nulls = conditioning(0), [conditioning(1), conditioning(2)]

    def __call__(self, cond: Conditioning) -> Tensor:
        self.asked.append(cond.frames)
        return normal(cond.frames, 2, 3)

    def run(self, guidance: Guidance, t: int = 500) -> Tensor:
        return guidance(self, t, self.given, self.nulls[: len(guidance.nulls)])


def conditioning(number: int) -> Conditioning:
    return Conditioning(number, torch.zeros(1), torch.ones(3))


GIVEN, NULL, SECOND = (normal(i, 2, 3) for i in range(3))  # predictions of the given pass and of the nulls


def losses(drop: Drop) -> set[str]:
    return {field.name for field in fields(Drop) if getattr(drop, field.name).all()}


def test_none_is_the_given_pass() -> None:
    passes = Passes()
    assert torch.equal(passes.run(NoGuidance()), GIVEN)
    assert passes.asked == [0]
    assert NoGuidance().nulls == ()


@pytest.mark.parametrize("guidance", [JointGuidance(1), JointGuidance(1.0), SplitGuidance(1.0, 1.0), AudioGuidance(1)])
def test_scale_one_is_one_pass(guidance: Guidance) -> None:
    passes = Passes()
    assert torch.equal(passes.run(guidance), passes.run(NoGuidance()))
    assert passes.asked == [0, 0]
    assert guidance.nulls == ()


@pytest.mark.parametrize("scale", [0.0, 0.5, 3.5])
def test_joint_guidance_goes_on_from_the_null(scale: float) -> None:
    passes = Passes()
    torch.testing.assert_close(passes.run(JointGuidance(scale)), NULL + scale * (GIVEN - NULL))
    assert sorted(passes.asked) == [0, 1]
    (null,) = JointGuidance(scale).nulls
    assert losses(null) == {"portrait", "identity", "audio", "location"}


def test_split_guidance_has_a_scale_for_the_picture_and_one_for_the_sound() -> None:
    passes, guidance = Passes(), SplitGuidance(audio=2.0, image=3.0)
    wanted = NULL + 3.0 * (SECOND - NULL) + 2.0 * (GIVEN - SECOND)
    torch.testing.assert_close(passes.run(guidance), wanted)
    assert sorted(passes.asked) == [0, 1, 2]
    assert [losses(null) for null in guidance.nulls] == [{"portrait", "identity", "audio", "location"}, {"audio"}]


@pytest.mark.parametrize("scale", [0.5, 2.0, 3.5])
def test_equal_scales_are_joint_guidance_in_two_passes(scale: float) -> None:
    passes = Passes()
    assert torch.equal(passes.run(SplitGuidance(scale, scale)), passes.run(JointGuidance(scale)))
    assert len(passes.asked) == 4
    almost = passes.run(SplitGuidance(scale, scale + 1e-6))
    torch.testing.assert_close(almost, passes.run(JointGuidance(scale)), rtol=0, atol=1e-5)


def test_audio_guidance_is_split_guidance_with_image_scale_one() -> None:
    passes, guidance = Passes(), AudioGuidance(2.5)
    (null,) = guidance.nulls
    assert losses(null) == {"audio"}
    torch.testing.assert_close(passes.run(guidance), NULL + 2.5 * (GIVEN - NULL))
    assert sorted(passes.asked) == [0, 1]
    silent = [passes.nulls[1], passes.nulls[0]]  # here the first null is the silent pass
    split = SplitGuidance(audio=2.5, image=1.0)(passes, 500, passes.given, silent)
    torch.testing.assert_close(split, passes.run(guidance))


@pytest.mark.parametrize(
    ("t", "count"), [(999, 2), (800, 2), (700, 2), (300, 2), (299, 1), (0, 1), (801, 2)], ids=lambda v: str(v)
)
def test_an_interval_guides_at_its_timesteps_only(t: int, count: int) -> None:
    passes = Passes()
    made = passes.run(IntervalGuidance(JointGuidance(3.0), start=999, stop=300), t)
    assert len(passes.asked) == count
    assert torch.equal(made, NULL + 3.0 * (GIVEN - NULL) if count == 2 else GIVEN)


def test_an_interval_may_begin_later() -> None:
    passes = Passes()
    passes.run(IntervalGuidance(JointGuidance(3.0), start=800, stop=300), 999)
    assert passes.asked == [0]


def test_an_interval_needs_what_its_inner_guidance_needs() -> None:
    inner = SplitGuidance(2.0, 3.0)
    assert IntervalGuidance(inner).nulls == inner.nulls
    assert IntervalGuidance(NoGuidance()).nulls == ()


def test_descriptions_tell_guidances_apart() -> None:
    guidances = [
        NoGuidance(),
        JointGuidance(3.5),
        JointGuidance(2),
        SplitGuidance(3.5, 2),
        SplitGuidance(2, 3.5),
        AudioGuidance(3.5),
        IntervalGuidance(JointGuidance(3.5)),
        IntervalGuidance(JointGuidance(3.5), 999, 100),
    ]
    texts = [guidance.describe() for guidance in guidances]
    assert len(set(texts)) == len(texts)
    assert texts[1] == "joint 3.5"
