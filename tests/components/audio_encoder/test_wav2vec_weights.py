"""Folders in Hugging Face layout, whole and broken."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from hallo_lit.components.audio_encoder.wav2vec import Wav2Vec2
from hallo_lit.components.audio_encoder.wav2vec_weights import build_network, random_state
from hallo_lit.errors import UserError

CONFIG: dict[str, Any] = {
    "model_type": "wav2vec2",
    "architectures": ["Wav2Vec2ForCTC"],
    "hidden_size": 16,
    "conv_dim": [8] * 7,
    "num_hidden_layers": 2,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "mask_time_prob": 0.05,
}
NEW_NAMES = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}


def published(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names as in wav2vec2-base-960h: under a task head, weight norm as before torch 2.1."""
    renamed = {}
    for name, tensor in state.items():
        for new, old in NEW_NAMES.items():
            name = name.replace(new, old)
        renamed[f"wav2vec2.{name}"] = tensor.contiguous()
    extra = {
        "wav2vec2.masked_spec_embed": torch.rand(16),
        "lm_head.weight": torch.rand(32, 16),
        "lm_head.bias": torch.rand(32),
    }
    return {**renamed, **extra}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    encoder = Wav2Vec2(CONFIG, torch.Generator().manual_seed(0))
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    save_file(published(encoder.model.state_dict()), tmp_path / "model.safetensors")
    return tmp_path


def load(folder: Path, layers: int = 2, width: int = 16) -> Wav2Vec2:
    return Wav2Vec2.from_folder(folder, layers, width)


def test_published_names_load(folder: Path) -> None:
    wave = torch.randn(16_000)
    expected = Wav2Vec2(CONFIG, torch.Generator().manual_seed(0))(wave, 25)
    assert torch.equal(load(folder)(wave, 25), expected)
    state = published(Wav2Vec2(CONFIG, torch.Generator().manual_seed(0)).model.state_dict())
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    assert torch.equal(load(folder)(wave, 25), expected)


def rewrite(folder: Path, **changes: Any) -> None:
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))


def drop(folder: Path, name: str) -> None:
    (folder / name).unlink()


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def binary(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: drop(f, "config.json"), "config.json is missing.*wav2vec2-base-960h"),
        (lambda f: (f / "config.json").write_text("{"), "config.json cannot be read as JSON"),
        (lambda f: (f / "config.json").write_bytes(b"\xff\xfe\x00"), "config.json cannot be read as JSON"),
        (lambda f: (f / "config.json").write_text("[1]"), "network of type None"),
        (lambda f: rewrite(f, model_type="hubert"), "network of type 'hubert'"),
        (lambda f: rewrite(f, hidden_size="wide"), "describes no wav2vec 2.0 network"),
        (lambda f: rewrite(f, num_attention_heads=0), "describes no wav2vec 2.0 network"),
        (lambda f: rewrite(f, hidden_act="nonsense"), "describes no wav2vec 2.0 network"),
        (lambda f: rewrite(f, num_hidden_layers=3), "encoder.layers.2.attention.k_proj.weight is missing.* and "),
        (lambda f: rewrite(f, num_hidden_layers=1), "encoder.layers.1.* is not part of the network"),
        (lambda f: rewrite(f, intermediate_size=33), r"has shape \(32,.*\) instead of \(33,"),
        (lambda f: drop(f, "model.safetensors"), "neither model.safetensors nor pytorch_model.bin"),
        (cut, "model.safetensors is damaged or cut short"),
        (lambda f: binary(f, b"not a zip"), "pytorch_model.bin"),
        (lambda f: binary(f, b""), "pytorch_model.bin is damaged or cut short"),
        (lambda f: binary(f, pickle.dumps(print, protocol=2)), "holds more than tensors"),
    ],
)
def test_broken_folders_are_refused_in_one_sentence(folder: Path, spoil: Any, message: str) -> None:
    spoil(folder)
    with pytest.raises(UserError, match=message) as caught:
        load(folder)
    assert str(folder) in str(caught.value)


def test_other_sizes_than_configured_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"2 layers of width 16.*12 of 16"):
        load(folder, layers=12)
    with pytest.raises(UserError, match=r"There is no wav2vec 2\.0 folder.*audio_encoder=log_mel"):
        load(folder / "absent")


def test_random_weights_keep_signals_at_their_size() -> None:
    model = build_network(CONFIG, torch.Generator().manual_seed(1))
    state = model.state_dict()
    again = random_state({name: t.shape for name, t in state.items()}, torch.Generator().manual_seed(1))
    assert all(torch.equal(state[name], again[name]) for name in state)
    direction = state["encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    assert torch.allclose(model.encoder.pos_conv_embed.conv.weight, direction)
