from __future__ import annotations

import math

import pytest

from hallo_lit.weights.layouts import layouts


@pytest.mark.parametrize(
    ("source", "keys", "values"),
    [
        ("hallo", 2656, 2_424_802_964),
        ("sd15-unet", 686, 859_520_964),
        ("animatediff-v2", 588, 454_417_600),
        ("sd-vae-ft-mse", 248, 83_653_863),
    ],
)
def test_published_sizes(source: str, keys: int, values: int) -> None:
    found = layouts()[source]
    assert len(found) == keys
    assert sum(math.prod(shape) for shape in found.values()) == values


def test_old_spellings_are_kept() -> None:
    assert "encoder.mid_block.attentions.0.proj_attn.weight" in layouts()["sd-vae-ft-mse"]
    assert "wav2vec2.encoder.pos_conv_embed.conv.weight_g" in layouts()["wav2vec2-base-960h"]
    assert "lm_head.weight" in layouts()["wav2vec2-base-960h"]
