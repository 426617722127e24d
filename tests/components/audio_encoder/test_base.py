"""Windows, pieces and counts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hallo_lit.components.audio_encoder.base import (
    clip_windows,
    covered_frames,
    frame_times,
    missing_samples,
    overlapping,
    pad_to_clips,
    silence,
    window,
)


def cut(x: Tensor, sizes: list[int]) -> list[Tensor]:
    """x in pieces of these sizes, over and over."""
    pieces, start, i = [], 0, 0
    while start < len(x):
        pieces.append(x[start : start + sizes[i % len(sizes)]])
        start, i = start + sizes[i % len(sizes)], i + 1
    return pieces


def test_window_clamps_at_both_ends() -> None:
    features = torch.arange(4.0)[:, None, None].expand(4, 2, 3)
    frames = window(features, radius=2)
    assert frames.shape == (4, 5, 2, 3)
    assert frames[..., 0, 0].tolist() == [[0, 0, 0, 1, 2], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3], [1, 2, 3, 3, 3]]


@pytest.mark.parametrize("sizes", [[1], [3, 5], [7], [100]])
@pytest.mark.parametrize(("clip", "radius"), [(4, 2), (5, 1), (1, 3), (23, 2), (40, 2), (3, 0)])
def test_clips_of_a_stream_are_the_windows_of_the_whole(sizes: list[int], clip: int, radius: int) -> None:
    features = torch.randn(23, 2, 3)
    clips = list(clip_windows(cut(features, sizes), clip, radius))
    assert [len(c) for c in clips] == [clip] * (23 // clip) + ([23 % clip] if 23 % clip else [])
    assert torch.equal(torch.cat(clips), window(features, radius))


def test_an_empty_stream_has_no_clips() -> None:
    assert list(clip_windows([], 4)) == []


@pytest.mark.parametrize("sizes", [[1], [4, 9], [1000]])
@pytest.mark.parametrize(("length", "step"), [(10, 10), (13, 10), (31, 7), (1, 1)])
def test_overlapping_pieces(sizes: list[int], length: int, step: int) -> None:
    x = torch.arange(61)
    pieces = list(overlapping(cut(x, sizes), length, step))
    seen = 0
    for k, piece in enumerate(pieces):
        assert torch.equal(piece, x[k * step : k * step + length])
        assert k * step + len(piece) > seen
        seen = k * step + len(piece)
    assert seen == 61
    assert all(len(piece) == length for piece in pieces[:-1])


def test_frames_of_a_recording_are_counted_exactly() -> None:
    assert [covered_frames(n) for n in (0, 1, 640, 641, 8960, 8701)] == [0, 1, 1, 2, 14, 14]
    assert covered_frames(16_000, fps=30) == 30
    assert [missing_samples(8701, frames) for frames in (10, 14, 15, 17)] == [0, 0, 640, 1920]


@pytest.mark.parametrize(("clip", "frames", "samples"), [(5, 15, 8701 + 640), (7, 14, 8701), (-1, 14, 8701)])
def test_padding_to_whole_clips(clip: int, frames: int, samples: int) -> None:
    wave = torch.randn(8701)
    padded, count = pad_to_clips(wave, 14, clip)
    assert (count, len(padded)) == (frames, samples)
    assert torch.equal(padded[:8701], wave)
    assert not padded[8701:].any()


def test_frame_times_and_silence() -> None:
    assert frame_times(3).tolist() == [0.0, 0.04, 0.08]
    pieces = list(silence(25, block=10))
    assert [len(piece) for piece in pieces] == [10, 10, 5]
    assert not torch.cat(pieces).any()
