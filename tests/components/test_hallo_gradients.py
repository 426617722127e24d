"""Every parameter takes part in every step, whatever is lost."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hallo_lit.components.hallo import Hallo, Quirks
from hallo_lit.structs import Drop, DropRates
from tiny_hallo import conditioned, lost, noisy, tiny_clip, tiny_hallo


def gradients(hallo: Hallo, drop: Drop, checkpointing: bool = False) -> dict[str, Tensor | None]:
    hallo.zero_grad()
    out = hallo(noisy(2), torch.tensor([500, 100]), conditioned(hallo, tiny_clip(2), drop))
    (out - 1).square().mean().backward()
    return {name: p.grad for name, p in hallo.named_parameters() if not name.startswith("codec.")}


@pytest.mark.parametrize(
    "quirks", [Quirks(), Quirks(empty_motion_frames=4, grey_motion=True)], ids=["ours", "released"]
)
@pytest.mark.parametrize(
    "names", [(), ("portrait", "identity", "location", "audio", "motion")], ids=["nothing lost", "everything lost"]
)
def test_every_parameter_gets_a_gradient_whatever_is_lost(names: tuple[str, ...], quirks: Quirks) -> None:
    """Distributed training waits for ever for a parameter that takes no part in a step."""
    found = gradients(tiny_hallo(quirks), lost(*names, of=2))
    assert [name for name, gradient in found.items() if gradient is None] == []
    if not names:
        assert [name for name, gradient in found.items() if not gradient.any()] == []


def test_lost_conditions_teach_nothing() -> None:
    found = gradients(tiny_hallo(), lost("audio", "location", of=2))
    for name, gradient in found.items():
        if name.startswith(("audio_projection.", "face_locator.")):
            assert not gradient.any(), name
    assert found["denoiser.down.0.cells.0.audio.block.fusion.zero_conv.2.bias"].any()


def test_the_codec_is_frozen_when_its_weights_are() -> None:
    trained = tiny_hallo()
    gradients(trained, Drop.none(2))
    assert all(p.grad is None for p in trained.codec.parameters())


def test_random_coins_leave_no_parameter_out() -> None:
    hallo, generator = tiny_hallo(), torch.Generator().manual_seed(0)
    for _ in range(4):
        drop = Drop.sample(2, DropRates(0.5, 0.5, 0.5), generator)
        assert None not in gradients(hallo, drop).values()
