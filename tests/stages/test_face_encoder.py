from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hallo_lit.components.face_encoder.conv import ConvFaceEncoder
from hallo_lit.stages.face_encoder import FaceEncoderStage
from hallo_lit.stages.learning import Learning


def stage() -> FaceEncoderStage:
    network = ConvFaceEncoder(width=12, size=16, channels=(8, 8))
    return FaceEncoderStage(network, Learning(["*"], torch.optim.Adam), norm=5.0, norm_weight=1e-2)


def views(people: int = 6) -> Tensor:
    """Two noisy pictures of each of some fixed patterns."""
    generator = torch.Generator().manual_seed(0)
    faces = torch.rand(people, 1, 3, 16, 16, generator=generator) * 2 - 1
    return (faces + 0.1 * torch.randn(people, 2, 3, 16, 16, generator=generator)).clamp(-1, 1)


def test_it_learns_to_tell_people_apart() -> None:
    made, seen = stage(), views()
    optimizer = torch.optim.Adam(made.parameters(), 3e-3)
    first, _ = made.losses(seen)
    for _ in range(40):
        optimizer.zero_grad()
        made.losses(seen)[0].backward()
        optimizer.step()
    loss, values = made.losses(seen)
    assert loss < 0.3 * first
    assert float(values["found"]) == 1
    assert float(made.network.embed(seen[:, 0]).norm(dim=1).mean()) == pytest.approx(5.0, abs=1.5)


def test_a_partner_is_the_other_picture_of_the_same_person() -> None:
    made = stage()
    same = torch.rand(4, 1, 3, 16, 16).expand(-1, 2, -1, -1, -1) * 2 - 1
    assert float(made.losses(same)[1]["found"]) == 1


def test_light_varies_by_sample_and_step() -> None:
    made, seen = stage(), torch.zeros(2, 2, 3, 16, 16)
    first: Any = made._jittered(seen, made.streams(torch.tensor([4, 9]), validating=True))
    again = made._jittered(seen, made.streams(torch.tensor([4, 9]), validating=True))
    assert torch.equal(first, again)
    assert len(first.amax((-1, -2)).unique()) == 12
