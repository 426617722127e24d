"""Where wav2vec 2.0 weights come from: a folder in Hugging Face layout, or a generator."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hallo_lit.errors import UserError

RENAMES = (
    (r"^wav2vec2\.", ""),  # a checkpoint with a task head on top, as wav2vec2-base-960h is
    (r"\.conv\.weight_g$", ".conv.parametrizations.weight.original0"),  # weight norm before torch 2.1
    (r"\.conv\.weight_v$", ".conv.parametrizations.weight.original1"),
)
DROPPED = re.compile(r"^(masked_spec_embed$|lm_head\.|quantizer\.|project_hid\.|project_q\.)")
"""Only needed for training wav2vec 2.0 itself or for recognising words."""
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
HELP = (
    "put config.json and model.safetensors of facebook/wav2vec2-base-960h there, "
    "or choose audio_encoder=log_mel, which needs no weights"
)


def build_network(config: Mapping[str, Any], state: Mapping[str, Tensor] | torch.Generator) -> Any:
    """transformers' Wav2Vec2Model with these weights, or with random ones; the global generator is not touched.

    Raises:
        UserError: `config` describes no network, or `state` does not fit it.
    """
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    # SpecAugment and adapters belong to training and recognition; they would add parameters nothing uses.
    settings = {**config, "mask_time_prob": 0.0, "mask_feature_prob": 0.0, "add_adapter": False}
    try:
        parsed = Wav2Vec2Config.from_dict(settings)
        parsed._attn_implementation = "sdpa"
        with torch.device("meta"):
            model = Wav2Vec2Model(parsed)
    except Exception as error:  # transformers reports bad settings by half a dozen unrelated exception classes
        raise UserError(f"the configuration describes no wav2vec 2.0 network ({error}).") from error
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    weights = random_state(shapes, state) if isinstance(state, torch.Generator) else own_names(state)
    check_names(weights, shapes)
    model.load_state_dict(weights, assign=True)
    return model


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The entries the encoder uses, under the names of the installed transformers, in fp32."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        for pattern, replacement in RENAMES:
            name = re.sub(pattern, replacement, name)
        if not DROPPED.match(name):
            renamed[name] = tensor.float()
    return renamed


def check_names(state: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> None:
    """
    Raises:
        UserError: names each missing, unexpected or misshapen entry (the first eight of them).
    """
    wrong = [f"{name} is missing" for name in shapes if name not in state]
    wrong += [f"{name} is not part of the network" for name in state if name not in shapes]
    wrong += [
        f"{name} has shape {tuple(state[name].shape)} instead of {tuple(shape)}"
        for name, shape in shapes.items()
        if name in state and state[name].shape != shape
    ]
    if wrong:
        more = f" and {len(wrong) - 8} more" if len(wrong) > 8 else ""
        raise UserError(f"the weights do not fit the wav2vec 2.0 configuration: {'; '.join(wrong[:8])}{more}.")


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Configuration and raw state dict of a local folder; nothing is downloaded.

    Raises:
        UserError: the folder or a file is missing, unreadable, cut short, or of another kind of network.
    """
    if not folder.is_dir():
        raise UserError(f"There is no wav2vec 2.0 folder {folder}: {HELP}.")
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {HELP}.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON ({error}); download it again.") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != "wav2vec2":
        raise UserError(f"{path} describes a network of type {kind!r} where 'wav2vec2' is needed: {HELP}.")
    found = [folder / name for name in WEIGHTS if (folder / name).is_file()]
    if not found:
        raise UserError(f"{folder} has neither {' nor '.join(WEIGHTS)}: {HELP}.")
    try:
        if found[0].suffix == ".safetensors":
            state = load_file(found[0])
        else:
            state = torch.load(found[0], map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise UserError(f"{found[0]} is damaged or cut short; download it again.") from error
    except Exception as error:  # torch reports refused pickles with an exception class of pickle's own
        raise UserError(f"{found[0]} holds more than tensors and is not opened; use model.safetensors.") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{found[0]} is not a dictionary of tensors; use model.safetensors.")
    return config, state


def random_state(shapes: Mapping[str, torch.Size], generator: torch.Generator) -> dict[str, Tensor]:
    """Untrained weights: norms at identity, biases 0, the rest normal with variance 1 / fan-in."""
    state: dict[str, Tensor] = {}
    for name, shape in sorted(shapes.items()):
        if name.endswith("bias"):
            state[name] = torch.zeros(shape)
        elif len(shape) < 2:
            state[name] = torch.ones(shape)
        else:
            state[name] = torch.randn(shape, generator=generator) / shape[1:].numel() ** 0.5
    for name in [name for name in shapes if name.endswith("weight.original0")]:  # weight norm: length per tap
        direction = state[name.removesuffix("0") + "1"]
        state[name] = direction.norm(dim=(0, 1), keepdim=True)
    return state
