"""One training step on made-up clips, and what it costs: the part that `benchmarks/training.py` repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count
from torch.utils.weak import weakref

from hallo_lit.cli.compose import compose, plain
from hallo_lit.components.audio_encoder.wav2vec import Wav2Vec2
from hallo_lit.stages.base import NOTHING_DROPPED
from hallo_lit.stages.randomness import Streams
from hallo_lit.stages.running import make_stage
from hallo_lit.structs import ClipBatch, ClipInputs, Drop, DropRates

SOUND = 16_000 // 25  # samples of a frame
LISTENER = {
    "num_hidden_layers": 12,
    "num_attention_heads": 4,
    "feat_extract_norm": "group",
    "do_stable_layer_norm": False,
}


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward(made: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return sdpa_backward_flop_count(made, query, key, value)


# FlopCounterMode knows the GPU's kernels; these are the CPU's, by the shapes of their arguments
FLOPS = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


class Steady(Streams):
    """Nothing is dropped, and nobody has to look into a tensor to know: steps can then be counted without values."""

    def __init__(self, batch: int) -> None:
        self.seed, self.step, self.samples = 0, 0, list(range(batch))

    def drop(self, rates: DropRates) -> Drop:
        stays = torch.tensor([False] * len(self.samples))
        return Drop(stays, stays, stays, stays, stays)


class LiveBytes(TorchDispatchMode):
    """Bytes of all tensors that are made inside the block and still alive: now, and at most.

    Views of what was there before, such as transposed weights, hold nothing new.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {t.untyped_storage()._cdata for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor) and (storage := tensor.untyped_storage())._cdata not in given:
                self._add(storage)
        return made

    def _add(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self._known and size:
            self._known.add(key)
            weakref.finalize(storage, self._remove, key, size)
            self.now += size
            self.peak = max(self.peak, self.now)

    def _remove(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


class Step:
    """A stage at some size with its optimiser, and a batch that stays the same.

    source: `latents`; `pixels`, which the frozen VAE encodes in every step; or `original`, where wav2vec 2.0 also hears
    the sound in every step instead of once and for all.
    """

    def __init__(self, stage: str, words: Sequence[str], source: str, batch: int, device: str, bf16: bool) -> None:
        config = plain(compose("train", "model=hallo", f"stage={stage}", *words))
        self.device, self.bf16, self.streams = device, bf16, Steady(batch)
        self.stage: Any = make_stage(config)
        self._adapt()
        self.stage.setup("fit")
        if device != "cpu":
            self.stage.to(device)
        self.trained = [p for p in self.stage.parameters() if p.requires_grad]
        self.optimizer = self.stage.learning.optimizer(self.trained)
        self.batch = made_up(config, self.stage.network.codec.factor, source, batch).to(device)
        self.ears: Wav2Vec2 | None = None
        heard = config["audio_encoder"]
        if source == "original" and self.batch.inputs.audio.numel():
            settings = {**LISTENER, "hidden_size": heard["width"], "intermediate_size": 4 * heard["width"]}
            self.ears = Wav2Vec2(settings, torch.Generator().manual_seed(0)).to(device)
            self.sound = torch.randn(batch, (config["frames"] + 4) * SOUND)

    def _adapt(self) -> None:
        """`adapt`, also where tensors have no values: peft would move its adapters, which such tensors refuse."""
        if torch._guards.active_fake_mode() is None:
            self.stage.adapt()
            return
        with torch.device("meta"):
            self.stage.adapt()
        for module in self.stage.modules():
            for name, p in module.named_parameters(recurse=False):
                if p.is_meta:
                    module.register_parameter(name, nn.Parameter(torch.empty_like(p, device="cpu"), p.requires_grad))

    def loss(self) -> Tensor:
        if self.ears is not None:
            frames = self.batch.frames.shape[1]
            rows = torch.stack([self.ears(wave, frames + 4) for wave in self.sound])
            self.batch.inputs.audio = rows.unfold(1, 5, 1).movedim(-1, 2).to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            made = self.stage.losses(self.batch, self.streams, NOTHING_DROPPED)
        loss: Tensor = made.loss
        return loss

    def __call__(self) -> None:
        self.loss().backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()


def made_up(config: Any, factor: int, source: str, batch: int) -> ClipBatch:
    """Random clips of the shapes that the configured store would give."""
    height, width = config["size"]["height"], config["size"]["width"]
    channels, shape = 3, (height, width)
    if source == "latents":
        channels, shape = config["size"]["codec"]["latent_channels"], (height // factor, width // factor)
    frames, past, heard = config["frames"], config["motion_frames"], config["audio_encoder"]
    audio = (5, heard["layers"], heard["width"]) if config["data"]["samples"]["audio"] else (5, 0, 0)
    return ClipBatch(
        torch.rand(batch, frames, channels, *shape) * 2 - 1,
        ClipInputs(
            portrait=torch.rand(batch, channels, *shape) * 2 - 1,
            past=torch.rand(batch, past, channels, *shape) * 2 - 1,
            audio=torch.randn(batch, frames, *audio),
            identity=torch.randn(batch, config["face_encoder"]["width"]),
            regions=torch.rand(batch, 3, height // factor, width // factor),
            locator=torch.ones(batch, 1, height, width),
        ),
        torch.arange(batch),
    )
