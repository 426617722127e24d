from __future__ import annotations

import pytest
import torch

from hallo_lit.metrics.protocols import resize


@pytest.mark.parametrize("preset", [*resize.FID.values(), *resize.FVD.values()])
def test_presets_map_black_and_white_to_the_ends_of_the_range(preset: resize.Resize):
    for level, wanted in ((0.0, -1.0), (255.0, 1.0)):
        found = preset(torch.full((1, 3, 40, 60), level), 32)
        assert found.shape == (1, 3, 32, 32)
        assert found.allclose(torch.tensor(wanted), atol=0.01)


def test_presets_differ_on_real_structure():
    images = torch.randint(0, 256, (1, 3, 64, 64)).float()
    found = [preset(images, 30) for preset in resize.FID.values()]
    for i, a in enumerate(found):
        for b in found[i + 1 :]:
            assert (a - b).square().mean().sqrt() > 0.01
