from __future__ import annotations

import torch

from hallo_lit.metrics.networks import expression


def test_expression_codes_are_columns_80_to_143():
    torch.manual_seed(0)
    network = expression.ReconNet().eval()
    with torch.no_grad():
        image = torch.rand(1, 3, 64, 64)
        assert network(image).shape == (1, 257)
        assert torch.equal(network.expression(image), network(image)[:, 80:144])
    assert {name.split(".")[0] for name in network.state_dict()} == {"backbone", "final_layers"}
