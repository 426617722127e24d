"""wav2vec 2.0 against recorded vectors, against transformers' own forward pass, and streams against whole files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from hallo_lit.components.audio_encoder.base import AudioEncoder, pad_to_clips, window
from hallo_lit.components.audio_encoder.frame_grid import to_frames
from hallo_lit.components.audio_encoder.loudness import Loudness
from hallo_lit.components.audio_encoder.wav2vec import CONV_BLOCK, Wav2Vec2
from hallo_lit.errors import UserError

GOLDEN = Path(__file__).parents[2] / "golden" / "audio"
TINY: dict[str, Any] = {
    "hidden_size": 32,
    "conv_dim": [16] * 7,
    "num_hidden_layers": 3,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 4,
}
LARGE = {**TINY, "feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}


def tiny(config: dict[str, Any] = TINY, seed: int = 0, **chunking: Any) -> Wav2Vec2:
    return Wav2Vec2(config, torch.Generator().manual_seed(seed), **chunking)


def sound(seconds: float, seed: int = 0) -> Tensor:
    """Noise whose level and colour change, so that places differ."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(round(16_000 * seconds), generator=generator)
    level = torch.nn.functional.interpolate(
        torch.rand(1, 1, max(2, round(5 * seconds)), generator=generator), len(noise), mode="linear"
    )[0, 0]
    return 0.1 * level * noise + 0.02


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    return load_file(GOLDEN / "wav2vec.safetensors")


def test_recorded_vectors(golden: dict[str, Tensor]) -> None:
    about = json.loads((GOLDEN / "wav2vec.json").read_text())
    config, tolerance = about["config"], about["tolerance"]
    encoder = Wav2Vec2(config, {k.removeprefix("state."): v for k, v in golden.items() if k.startswith("state.")})
    wave = golden["in.waveform"][0]
    features = encoder.conv_features(wave)
    states = encoder.hidden_states(wave, config["seq_len"])
    found = {
        "out.conv_features": features[None],
        "out.conv_features_interpolated": torch.cat(list(to_frames([features], len(features), config["seq_len"])))[
            None
        ],
        "out.hidden_states.0": states[0][None],
        "out.audio_emb": torch.stack(states[1:], 1),
    }
    for name, value in found.items():
        assert value.shape == golden[name].shape
        assert (value - golden[name]).abs().max() < tolerance[name], name
    for name in ("preprocess_clip", "preprocess_noclip"):
        case, expected = config[name], golden[f"out.{name}.audio_emb"]
        normal = Loudness.of([wave]).standardise(wave)
        padded, frames = pad_to_clips(normal, case["audio_length_frames"], case["clip_length"])
        assert frames == case["frames_after_padding"]
        by_hand, by_call = torch.stack(encoder.hidden_states(padded, frames)[1:], 1), encoder(wave, frames)
        assert (by_hand - expected).abs().max() < 1e-4
        assert torch.equal(by_call, by_hand)
        if name == "preprocess_clip":
            assert (window(by_call)[:3] - golden[f"out.{name}.windows"]).abs().max() < 1e-4


@pytest.mark.parametrize("config", [TINY, LARGE, {**TINY, "conv_bias": True, "num_conv_pos_embeddings": 15}])
def test_equals_transformers_where_the_frame_rate_is_its_own(config: dict[str, Any]) -> None:
    encoder, wave = tiny(config), sound(7)
    with torch.no_grad():
        expected = encoder.model(wave[None], output_hidden_states=True)
    frames = len(expected.extract_features[0])
    assert frames > CONV_BLOCK
    theirs = (*expected.hidden_states[:-1], expected.last_hidden_state)
    for our, their in zip(encoder.hidden_states(wave, frames), theirs, strict=True):
        assert (our - their[0]).abs().max() < 2e-5


@pytest.mark.parametrize("config", [TINY, LARGE])
@pytest.mark.parametrize("frames", [50, 75, 90])
def test_a_recording_of_one_chunk_gives_the_same_bits(config: dict[str, Any], frames: int) -> None:
    encoder, wave = tiny(config, chunk_seconds=4.0), sound(3.01)
    whole = encoder(wave, frames)
    assert whole.shape == (frames, 3, 32)
    for size in (777, 16_000, 10**6):
        assert torch.equal(torch.cat(list(encoder.stream(lambda size=size: wave.split(size), frames))), whole)


def without_attention(encoder: Wav2Vec2) -> Wav2Vec2:
    for layer in encoder.model.encoder.layers:
        layer.attention.v_proj.weight.zero_()
    return encoder


def test_all_but_attention_is_exact_in_chunks() -> None:
    """Convolutions, group norm, interpolation and the positional convolution (128 frames) see what they need."""
    wave = sound(17.3)
    whole = without_attention(tiny())(wave, 433)
    for chunk, context, exact in ((3.0, 2.56, True), (5.1, 4.0, True), (3.0, 0.0, False)):
        encoder = without_attention(tiny(chunk_seconds=chunk, context_seconds=context))
        blocks = list(encoder.stream(lambda: wave.split(5000), 433))
        assert [len(block) for block in blocks[:-1]] == [encoder.chunk] * (len(blocks) - 1)
        error = (torch.cat(blocks) - whole).abs().max()
        assert (error < 1e-5) == exact, (chunk, context, error)


def test_more_context_comes_closer_to_the_whole_file() -> None:
    wave = sound(24)
    whole = tiny()(wave, 600)
    errors = []
    for context in (0.0, 3.0, 8.0, 24.0):
        encoder = tiny(chunk_seconds=4.0, context_seconds=context)
        blocks = torch.cat(list(encoder.stream(lambda: wave.split(16_000), 600)))
        errors.append(((blocks - whole).square().mean() / whole.square().mean()).sqrt().item())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-5
    uncut = tiny(chunk_seconds=None)
    assert torch.equal(torch.cat(list(uncut.stream(lambda: wave.split(16_000), 600))), whole)


def test_fewer_frames_are_the_first_ones() -> None:
    encoder, wave = tiny(), sound(2)
    assert torch.equal(encoder(wave, 33), encoder(wave, 50)[:33])


def test_level_does_not_matter() -> None:
    encoder, wave = tiny(), sound(2)
    assert (encoder(wave, 50) - encoder(wave * 0.3 + 0.1, 50)).abs().max() < 1e-3


def test_training_mode_changes_nothing() -> None:
    encoder, wave = tiny(), sound(1)
    before = encoder(wave, 25)
    assert torch.equal(encoder.train()(wave, 25), before)
    assert not before.requires_grad
    assert not any(p.requires_grad for p in encoder.parameters())


def test_weights_come_from_the_generator_alone() -> None:
    state = torch.get_rng_state()
    first, second, other = tiny(seed=3), tiny(seed=3), tiny(seed=4)
    assert torch.equal(torch.get_rng_state(), state)
    wave = sound(1)
    assert torch.equal(first(wave, 25), second(wave, 25))
    assert not torch.equal(first(wave, 25), other(wave, 25))
    copy = Wav2Vec2(first.config, first.model.state_dict())
    assert torch.equal(first(wave, 25), copy(wave, 25))


def test_it_is_an_audio_encoder() -> None:
    encoder: AudioEncoder = tiny()
    assert (encoder.layers, encoder.width) == (3, 32)


@pytest.mark.parametrize("samples", [0, 1, 399])
def test_too_short_a_sound_is_refused(samples: int) -> None:
    with pytest.raises(UserError, match=f"{samples} samples"):
        tiny()(torch.zeros(samples), 1)


def test_the_shortest_sounds_work() -> None:
    for samples in (400, 640, 641, 1040):
        assert torch.isfinite(tiny()(torch.randn(samples), 3)).all()


def test_a_stream_that_cannot_start_over_is_noticed() -> None:
    once = iter(sound(10).split(16_000))
    with pytest.raises(ValueError, match="had 160000 samples and now has 0"):
        list(tiny().stream(lambda: once, 250))
