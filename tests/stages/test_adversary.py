"""Who asks for what: the judge's error is not the picture's business, nor the other way round."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.stages.adversary import PatchAdversary


@pytest.fixture
def adversary() -> PatchAdversary:
    torch.manual_seed(0)
    return PatchAdversary(channels=(8, 16))


def pictures(seed: int, n: int = 6) -> torch.Tensor:
    return torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_each_side_learns_from_its_own_loss(adversary: PatchAdversary) -> None:
    made = pictures(1).requires_grad_()
    asked, told = adversary(made, pictures(2))
    asked.backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in adversary.parameters())
    made.grad = None
    told.backward()
    assert made.grad is None
    assert all(parameter.grad is not None for parameter in adversary.parameters())


def test_it_learns_to_tell_blurred_from_sharp(adversary: PatchAdversary) -> None:
    true = pictures(3)
    made = torch.nn.functional.avg_pool2d(true, 3, 1, 1)
    optimizer = torch.optim.Adam(adversary.parameters(), 3e-3)
    first = adversary(made, true)[1].detach()
    for _ in range(60):
        optimizer.zero_grad()
        adversary(made, true)[1].backward()
        optimizer.step()
    asked, told = adversary(made, true)
    assert told < 0.3 * first
    assert asked > 0.5  # it is not deceived


def test_places_count_as_much_as_they_are_said_to(adversary: PatchAdversary) -> None:
    made, true, places = pictures(4), pictures(5), torch.zeros(6, 1, 16, 16)
    places[..., :8] = 2
    asked, told = adversary(made, true, places)
    scores, own = adversary.judge(made), adversary.judge(true)
    torch.testing.assert_close(asked, -scores[..., :2].mean())
    expected = (torch.relu(1 - own) + torch.relu(1 + scores))[..., :2].mean()
    torch.testing.assert_close(told, expected)
