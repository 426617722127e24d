from __future__ import annotations

import pytest
import torch

from hallo_lit.metrics.protocols import sync_offset


@pytest.mark.parametrize("shift", [-6, 0, 4])
def test_a_shift_of_the_sound_is_found_with_its_sign(shift: int):
    lips = torch.randn(120, 32)
    score = sync_offset.search(lips, torch.roll(lips, -shift, 0))
    assert score.offset == shift
    assert score.distance < score.mean.median()
    assert score.confidence == pytest.approx(float(score.mean.median()) - score.distance)


def test_unrelated_sound_has_little_confidence():
    lips = torch.randn(300, 64)
    true, wrong = sync_offset.search(lips, lips), sync_offset.search(lips, torch.randn(300, 64))
    assert true.distance == pytest.approx(1e-6 * 8, rel=1e-3)
    assert wrong.confidence < 0.15 * true.confidence


def test_windows_are_counted_over_the_shorter_of_picture_and_sound():
    assert sync_offset.window_count(40, 40 * 640) == 35
    assert sync_offset.window_count(40, 30 * 640 + 639) == 25
    assert sync_offset.window_count(4, 10**6) == 0


def test_audio_windows_start_every_fourth_column():
    coefficients = torch.arange(60.0)[:, None].expand(60, 13)
    windows = sync_offset.audio_windows(coefficients, 10)
    assert windows.shape == (10, 1, 13, 20)
    assert windows[3, 0, 5].tolist() == list(range(12, 32))
