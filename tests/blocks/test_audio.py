"""The audio block and its envelope."""

from __future__ import annotations

import torch

from hallo_lit.blocks.audio import AudioBlock, AudioTransformer
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from tiny_hallo import CLOSE, normal, redraw, uniform

DIM, HEADS, AUDIO = 8, 2, 6


def transformer(channels: int = 16, width: int = DIM) -> AudioTransformer:
    return redraw(AudioTransformer(channels, width, HEADS, HierarchicalFusion(width, HEADS, AUDIO), groups=4))


def inputs(n: int = 2, tokens: int = 15):
    return normal(2, n, 4, AUDIO), uniform(3, n, 3, tokens), torch.tensor([0.5, 1.0, 2.0])


def test_it_is_three_residuals() -> None:
    block = redraw(AudioBlock(DIM, HEADS, HierarchicalFusion(DIM, HEADS, AUDIO)))
    audio, masks, scale = inputs()
    masks = masks.unflatten(-1, (3, 5))
    seen = {}
    block.norm2.register_forward_hook(lambda _, args, out: seen.update(x=args[0], normed=out))
    block.norm3.register_forward_hook(lambda _, args, out: seen.update(last=args[0]))
    out = block(normal(1, 2, 15, DIM), audio, masks, scale)
    heard = block.fusion(seen["normed"], audio, masks, scale)
    torch.testing.assert_close(seen["last"], seen["x"] + heard, **CLOSE)
    torch.testing.assert_close(out, seen["last"] + block.ff(block.norm3(seen["last"])), **CLOSE)


def test_its_own_width_may_be_narrower_than_the_channels() -> None:
    net, (audio, masks, scale) = transformer(), inputs()
    x = normal(1, 2, 16, 3, 5)
    assert net(x, audio, masks, scale).shape == x.shape
    assert net.proj_in.weight.shape == (DIM, 16, 1, 1)
    assert net.block.attn1.to_q.weight.shape == (DIM, DIM)


def test_audio_masks_and_scales_matter_and_silence_is_zeros() -> None:
    net, (audio, masks, scale) = transformer(), inputs()
    x = normal(1, 2, 16, 3, 5)
    heard = net(x, audio, masks, scale)
    for other in ((audio + 1, masks, scale), (audio, 1 - masks, scale), (audio, masks, scale + 1)):
        assert (net(x, *other) - heard).abs().max() > 0.01
    silence = net(x, None, masks, scale)
    torch.testing.assert_close(silence, net(x, torch.zeros_like(audio), masks, scale), **CLOSE)
    assert (silence - heard).abs().max() > 0.01


def test_the_fusion_gets_its_masks_as_pictures() -> None:
    net, (audio, masks, scale) = transformer(), inputs()
    given = []
    net.block.fusion.register_forward_pre_hook(lambda _, args: given.append(args[2]))
    net(normal(1, 2, 16, 3, 5), audio, masks, scale)
    assert torch.equal(given[0], masks.unflatten(-1, (3, 5)))


def test_frames_do_not_mix() -> None:
    net, (audio, masks, scale) = transformer(), inputs()
    x = normal(1, 2, 16, 3, 5)
    both = net(x, audio, masks, scale)
    torch.testing.assert_close(both[1:], net(x[1:], audio[1:], masks[1:], scale), **CLOSE)
