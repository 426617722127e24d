"""Offset search, MFCC, suppression, resize filters and alignment on inputs whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hallo_lit.metrics.protocols import face_align, face_boxes, resize, sync_offset
from hallo_lit.metrics.protocols.mfcc import mfcc


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


def test_energy_of_a_constant_frame_is_known():
    wave = torch.zeros(400)
    wave[0] = 512.0
    found = mfcc(wave)
    # A unit pulse has the same power in all 257 bins: 512^2 / 512 each, and pre-emphasis adds a second pulse.
    power = np.abs(np.fft.rfft([512.0, -0.97 * 512], 512)) ** 2 / 512
    assert found.shape == (1, 13)
    assert float(found[0, 0]) == pytest.approx(math.log(power.sum()), rel=1e-12)


def test_digital_silence_is_finite():
    assert mfcc(torch.zeros(1000)).isfinite().all()
    assert float(mfcc(torch.zeros(1000))[0, 0]) == pytest.approx(math.log(np.finfo(np.float64).eps))


def test_suppression_keeps_the_best_of_overlapping_boxes():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], float)
    assert face_boxes.suppress(boxes, np.array([0.5, 0.9, 0.7]), 0.1).tolist() == [1, 2]
    assert face_boxes.suppress(boxes, np.array([0.5, 0.9, 0.7]), 0.9).tolist() == [1, 2, 0]
    assert face_boxes.suppress(np.zeros((0, 4)), np.zeros(0), 0.1).tolist() == []


@pytest.mark.parametrize("preset", [*resize.FID.values(), *resize.FVD.values()])
def test_presets_map_black_and_white_to_the_ends_of_the_range(preset: resize.Resize):
    for level, wanted in ((0.0, -1.0), (255.0, 1.0)):
        found = preset(torch.full((1, 3, 40, 60), level), 32)
        assert found.shape == (1, 3, 32, 32)
        assert found.allclose(torch.tensor(wanted), atol=0.01)


def test_presets_differ_on_real_structure():
    images = torch.randint(0, 256, (1, 3, 64, 64)).float()
    found = [preset(images, 30) for preset in resize.FID.values()]
    for i, a in enumerate(found):
        for b in found[i + 1 :]:
            assert (a - b).square().mean().sqrt() > 0.01


def test_alignment_recovers_a_known_camera():
    camera = np.array([[80.0, 5.0, 0.0, 150.0], [-5.0, 80.0, 0.0, 120.0]])
    up = np.concatenate([face_align.REFERENCE, np.ones((5, 1))], 1) @ camera.T
    found = face_align.align(face_align.flip(up, 240), (240, 320))
    assert (found.tx, found.ty) == pytest.approx((150, 120), abs=1e-9)
    assert found.scale == pytest.approx(102 / math.hypot(80, 5), rel=1e-9)
    assert np.abs(found.points(np.array([[150.0, 120.0]])) - 112).max() < 1
