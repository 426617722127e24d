from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.metrics.fid import FID
from hallo_lit.metrics.video import Video
from metrics.footage import clip, pictures


def test_identical_clips_have_identical_moments_and_noise_moves_them_apart(inception_file: Path):
    real = pictures(4, seed=3)
    noisy = np.clip(real + np.random.default_rng(0).normal(0, 40, real.shape), 0, 255).astype(np.uint8)
    metric = FID(inception_file, skip=0)
    metric.update(Video.from_arrays("a", real), Video.from_arrays("a", real))
    for made, true in zip(metric.moments(False), metric.moments(True), strict=True):
        assert torch.equal(made, true)
    metric.update(Video.from_arrays("b", noisy), Video.from_arrays("b", real))
    assert metric.report().values["fid"] > 1


def test_both_sides_are_cut_to_the_same_frames_without_the_first(inception_file: Path):
    metric = FID(inception_file)
    metric.update(clip("short", 3), clip("short", 5, 1))
    metric.update(clip("long", 5), clip("long", 3, 1))
    assert metric.moments(True).n == metric.moments(False).n == 4
    assert [verdict.values["frames"] for verdict in metric.verdicts] == [2, 2]
    assert [verdict.reason for verdict in metric.verdicts] == [
        "2 generated against 4 real frames: the first 2 were compared",
        "4 generated against 2 real frames: the first 2 were compared",
    ]
    assert "rank-deficient" in metric.remarks()[0]
    assert len(metric.hashes[inception_file.name]) == 64
    assert "byte for byte" in metric.notes[0]  # this file is not the published one


def test_clips_without_partner_or_frames_are_left_out(inception_file: Path):
    metric = FID(inception_file)
    metric.update(clip("alone", 4))
    metric.update(clip("one", 1), clip("one", 4))
    report = metric.report()
    assert report.counted == 0
    assert report.values == {}
    assert report.verdicts[0].reason == "it has no ground truth to compare with"
    assert "no frame after the first" in report.verdicts[1].reason


def test_without_weights_it_is_skipped_in_one_line():
    metric = FID()
    metric.update(clip(), clip())
    report = metric.report()
    assert report.values == {}
    assert report.skipped is not None
    assert "pt_inception-2015-12-05-6726825d.pth" in report.skipped
    assert "\n" not in report.skipped


def test_an_unknown_preset_is_refused():
    with pytest.raises(UserError, match="choose one of pytorch_fid"):
        FID(preset="best")
