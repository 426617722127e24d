"""Listening tells what the fusions get and do, and changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hallo_lit.components.fusion.direct_addition import DirectAdditionFusion
from hallo_lit.components.fusion.full_attention import FullAttentionFusion
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.evaluation.figures.listening import (
    EVERY,
    Listening,
    Question,
    effect,
    focus,
    questions,
    regional_effects,
)
from hallo_lit.structs import REGIONS
from tiny_hallo import LATENTS, conditioned, lost, noisy, normal, times, tiny_clip, tiny_hallo, uniform


class Witness(HierarchicalFusion):
    """Keeps what it is given."""

    seen: tuple[Tensor, ...] = ()

    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        if audio is not None:
            self.seen = (x, audio, masks, scale)
        return super().forward(x, audio, masks, scale)


def question(fusion: torch.nn.Module, n: int = 2) -> Question:
    return Question(
        fusion, normal(1, n, 24, 8), normal(2, n, 24, 8), normal(3, n, 3, 6), uniform(4, n, 3, 4, 6), torch.ones(3)
    )


@torch.no_grad()
def test_a_model_that_is_listened_to_predicts_the_same() -> None:
    hallo = tiny_hallo()
    cond = conditioned(hallo, tiny_clip())
    heard = Listening(hallo)
    assert torch.equal(heard(noisy(), times(), cond), hallo(noisy(), times(), cond))
    assert set(heard.maps) == {"all", "everywhere", *REGIONS, *(f"focus {name}" for name in REGIONS)}
    assert all(values.shape == LATENTS for values in heard.maps.values())
    assert heard.cells == len(list(hallo.denoiser.attention_cells()))


@torch.no_grad()
def test_questions_are_what_the_fusions_really_get() -> None:
    hallo = tiny_hallo(fusion=Witness)
    cond = conditioned(hallo, tiny_clip(frames=4), scale=torch.tensor([0.5, 1.0, 2.0]))
    asked = list(questions(hallo.denoiser, noisy(frames=4), times(), cond))
    fusions = [cell.audio.block.fusion for cell in hallo.denoiser.attention_cells()]
    assert [one.fusion for one in asked] == fusions
    hallo(noisy(frames=4), times(), cond)
    for one in asked:
        x, audio, masks, scale = one.fusion.seen
        assert len(one.tokens) == -(-4 // EVERY)
        for ours, theirs in ((one.tokens, x), (one.audio, audio), (one.masks, masks)):
            torch.testing.assert_close(ours, theirs[::EVERY])
        assert torch.equal(one.scale, scale)


@torch.no_grad()
def test_silence_is_no_question() -> None:
    hallo = tiny_hallo()
    cond = conditioned(hallo, tiny_clip()).row(0, lost("audio"))
    assert cond.audio is None
    heard = Listening(hallo)
    heard(noisy(), times(), cond)
    assert heard.maps == {}
    assert heard.mean("all").max() == 0


@torch.no_grad()
def test_an_untrained_zero_convolution_does_nothing() -> None:
    assert effect(question(HierarchicalFusion(8, 2, 6))).max() == 0


@torch.no_grad()
def test_a_region_acts_inside_its_mask_alone() -> None:
    asked = question(DirectAdditionFusion(8, 2, 6))
    masks = torch.zeros(2, 3, 4, 6)
    masks[:, 2, 2:] = 1  # the lip
    asked = Question(asked.fusion, asked.tokens, asked.stream, asked.audio, masks, torch.tensor([1.0, 1.0, 2.0]))
    pose, face, lip = regional_effects(asked).unbind(1)
    assert pose.max() == face.max() == 0
    assert lip[:, :2].max() == 0
    assert lip[:, 2:].min() > 0
    torch.testing.assert_close(lip, effect(asked))


@torch.no_grad()
def test_the_size_of_an_effect_is_relative_to_what_it_is_added_to() -> None:
    asked = question(DirectAdditionFusion(8, 2, 6))
    louder = Question(asked.fusion, asked.tokens, 4 * asked.stream, asked.audio, asked.masks, asked.scale)
    torch.testing.assert_close(4 * effect(louder), effect(asked))


@torch.no_grad()
def test_full_attention_knows_no_regions() -> None:
    asked = question(FullAttentionFusion(8, 2, 6))
    assert effect(asked).min() > 0
    assert regional_effects(asked).abs().max() < 1e-6
    torch.testing.assert_close(effect(asked), effect(asked, torch.ones_like(asked.masks)))


@torch.no_grad()
@pytest.mark.parametrize("fusion", [HierarchicalFusion, FullAttentionFusion])
def test_focus_is_zero_on_equal_tokens_and_one_on_a_single_loud_one(fusion: type) -> None:
    asked = question(fusion(8, 2, 6))
    branches = 1 if fusion is FullAttentionFusion else 3
    equal = asked.audio[:, :1].expand(-1, 3, -1)
    even = focus(Question(asked.fusion, asked.tokens, asked.stream, equal, asked.masks, asked.scale))
    assert even.shape == (2, branches, 4, 6)
    torch.testing.assert_close(even, torch.zeros_like(even), atol=1e-5, rtol=0)
    loud = focus(Question(asked.fusion, 1e4 * asked.tokens, asked.stream, asked.audio, asked.masks, asked.scale))
    torch.testing.assert_close(loud, torch.ones_like(loud), atol=1e-2, rtol=0)
