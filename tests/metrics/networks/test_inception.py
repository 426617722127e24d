from __future__ import annotations

import torch
from torchvision.models import Inception3

from hallo_lit.metrics.networks.inception import TAPS, FidInception


def test_names_are_torchvisions_with_1008_classes():
    with torch.device("meta"):
        ours, theirs = FidInception(), Inception3(num_classes=1008, aux_logits=False, init_weights=False)
    wanted = {name: value.shape for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in ours.state_dict().items()} == wanted


def test_taps_have_the_published_widths():
    with torch.device("meta"):
        network = FidInception().eval()
        taps = network.taps(torch.zeros(2, 3, 299, 299))
    assert {width: tuple(tap.shape) for width, tap in taps.items()} == {width: (2, width) for width in TAPS}
