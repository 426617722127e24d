"""wav2vec 2.0 features at the video's frame rate, for recordings of any length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hallo_lit.components.audio_encoder.base import (
    FPS,
    RATE,
    OpenChunks,
    covered_frames,
    missing_samples,
    overlapping,
    silence,
)
from hallo_lit.components.audio_encoder.frame_grid import to_frames
from hallo_lit.components.audio_encoder.loudness import Loudness, patch_moments
from hallo_lit.components.audio_encoder.wav2vec_weights import build_network, read_folder
from hallo_lit.errors import UserError

CONV_BLOCK = 256
"""Positions (5 s) that go through the convolutions at once; the first layer alone makes 6.5 MB per second of them."""


class Wav2Vec2(nn.Module):
    """Hidden states of every transformer layer, with the transformer run at the video's frame rate, as Hallo does.

    The recording is normalised as a whole, convolved, interpolated to the frame count with aligned end points,
    projected and encoded (github.com/fudan-generative-vision/hallo, hallo/models/wav2vec.py). A stream takes the same
    path: its convolutions, group norm and interpolation equal the whole file's to the last bit, and only self-attention
    is cut, into chunks that see `context_seconds` more on either side. A recording of at most one chunk is not cut.
    Beyond that a trained network's features change by a few percent, random weights (which attend to everything
    evenly) by about a tenth; measured in docs/audio.md. `chunk_seconds=None` never cuts: exact, 2 MB per second.
    Frozen: without gradients, and `train()` leaves it in evaluation mode.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        state: Mapping[str, Tensor] | torch.Generator,
        fps: int = FPS,
        chunk_seconds: float | None = 60.0,
        context_seconds: float = 10.0,
    ) -> None:
        """`config` as in config.json; `state` with either naming of the weight norm, or a generator for random weights.

        Raises:
            UserError: `config` describes no network, or `state` does not fit it.
        """
        super().__init__()
        self.model = build_network(config, state)
        self.requires_grad_(False).eval()
        settings = self.model.config
        self.config: dict[str, Any] = settings.to_diff_dict()
        self.layers: int = settings.num_hidden_layers
        self.width: int = settings.hidden_size
        self.fps = fps
        self.chunk = None if chunk_seconds is None else max(1, round(chunk_seconds * fps))
        self.context = round(context_seconds * fps)
        self._convolutions: list[Any] = [*self.model.feature_extractor.conv_layers]
        self._stride = self._field = 1
        for kernel, stride in zip(settings.conv_kernel, settings.conv_stride, strict=True):
            self._field += (kernel - 1) * self._stride
            self._stride *= stride

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        layers: int = 12,
        width: int = 768,
        fps: int = FPS,
        chunk_seconds: float | None = 60.0,
        context_seconds: float = 10.0,
    ) -> Wav2Vec2:
        """Loads a local folder in Hugging Face layout; never downloads.

        Raises:
            UserError: a file is missing or damaged, or the network has not `layers` layers of `width`.
        """
        config, state = read_folder(Path(folder))
        try:
            encoder = cls(config, state, fps, chunk_seconds, context_seconds)
        except UserError as error:
            raise UserError(f"{folder} cannot be used: {error}") from error
        if (encoder.layers, encoder.width) != (layers, width):
            raise UserError(
                f"{folder} holds {encoder.layers} layers of width {encoder.width}, but the configuration says "
                f"{layers} of {width}; set audio_encoder.layers and audio_encoder.width."
            )
        return encoder

    def train(self, mode: bool = True) -> Wav2Vec2:
        return super().train(False)

    def forward(self, wave: Tensor, frames: int) -> Tensor:
        """wave (samples,) at any level -> (frames, layers, width), attention over the whole recording.

        Raises:
            UserError: see `AudioEncoder`.
        """
        return torch.cat(list(self._blocks(lambda: wave.split(RATE), frames, None)))

    def stream(self, open_chunks: OpenChunks, frames: int) -> Iterator[Tensor]:
        """As `forward`, in blocks of `chunk` frames; opens the recording three times (level, group norm, features)."""
        return self._blocks(open_chunks, frames, self.chunk)

    @torch.no_grad()
    def hidden_states(self, wave: Tensor, frames: int) -> tuple[Tensor, ...]:
        """The embedding output and every layer's, (frames, width) each, of a wave taken as it is: neither normalised
        nor padded, and stretched over exactly `frames` frames."""
        return self.encode(torch.cat(list(to_frames((features := self.conv_features(wave),), len(features), frames))))

    @torch.no_grad()
    def conv_features(self, wave: Tensor) -> Tensor:
        """(samples,) as it is -> (positions, channels), about 50 per second."""
        return torch.cat(list(self._convolved(lambda: (wave,))))

    def encode(self, rows: Tensor) -> tuple[Tensor, ...]:
        """(n, channels) at the frame rate -> the embedding output and every layer's, (n, width) each."""
        encoder = self.model.encoder
        x, _ = self.model.feature_projection(rows[None])
        x = x + encoder.pos_conv_embed(x)
        norm_last = self.model.config.do_stable_layer_norm  # the larger networks' pre-norm layers
        states = [x if norm_last else encoder.layer_norm(x)]
        for layer in encoder.layers:
            states.append(layer(states[-1]))
        if norm_last:
            states[-1] = encoder.layer_norm(states[-1])
        return tuple(state[0] for state in states)

    @torch.no_grad()
    def _blocks(self, open_chunks: OpenChunks, frames: int, chunk: int | None) -> Iterator[Tensor]:
        loudness = Loudness.of(open_chunks())
        padding = missing_samples(loudness.samples, frames, self.fps)
        samples = loudness.samples + padding
        if not loudness.samples or samples < self._field:
            raise UserError(
                f"The sound has {loudness.samples} samples at 16 kHz; wav2vec 2.0 needs at least {self._field}."
            )
        total = max(frames, covered_frames(loudness.samples, self.fps))
        convolved = self._convolved(lambda: chain(loudness.standardised(open_chunks()), silence(padding)))
        rows = to_frames(convolved, (samples - self._field) // self._stride + 1, total)
        yield from self._attended(rows, total, frames, chunk or total)

    def _convolved(self, open_wave: OpenChunks) -> Iterator[Tensor]:
        """Consecutive (n, channels) blocks of what the convolutions make of a normalised wave."""
        first, *others = self._convolutions
        grouped = self.model.config.feat_extract_norm == "group"
        scale, shift = self._group_norm(open_wave) if grouped else (None, None)
        weight = first.conv.weight
        length = (CONV_BLOCK - 1) * self._stride + self._field
        for block in overlapping(open_wave(), length, CONV_BLOCK * self._stride):
            if len(block) < self._field:
                return
            x = block.to(weight)[None, None]
            x = first(x) if scale is None else first.activation(first.conv(x) * scale + shift)
            for layer in others:
                x = layer(x)
            yield x[0].T

    def _group_norm(self, open_wave: OpenChunks) -> tuple[Tensor, Tensor]:
        """The first layer's group norm runs over all of time; over one recording it is a scale and a shift, (c, 1)."""
        conv, norm = self._convolutions[0].conv, self._convolutions[0].layer_norm
        mean, covariance = patch_moments(open_wave(), conv.kernel_size[0], conv.stride[0])
        filters = conv.weight[:, 0].double().cpu()
        variance = torch.einsum("ck,kl,cl->c", filters, covariance, filters).clamp(min=0)
        centre = filters @ mean + (0 if conv.bias is None else conv.bias.double().cpu())
        scale = norm.weight.double().cpu() / (variance + norm.eps).sqrt()
        shift = norm.bias.double().cpu() - centre * scale
        return scale[:, None].to(conv.weight), shift[:, None].to(conv.weight)

    def _attended(self, rows: Iterator[Tensor], total: int, frames: int, chunk: int) -> Iterator[Tensor]:
        """Layer outputs of the first `frames` of `total` rows; each chunk also reads `context` rows on both sides."""
        held, first = next(rows), 0
        for start in range(0, frames, chunk):
            begin, stop = max(start - self.context, 0), min(start + chunk + self.context, total)
            while first + len(held) < stop:
                held = torch.cat([held, next(rows)])
            held, first = held[begin - first :], begin
            states = self.encode(held[: stop - begin])[1:]
            keep = slice(start - begin, min(start + chunk, frames) - begin)
            yield torch.stack([state[keep] for state in states], dim=1).float().cpu()
