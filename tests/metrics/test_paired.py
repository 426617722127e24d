from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torchvision.models import alexnet

from hallo_lit.metrics.paired import Paired
from hallo_lit.metrics.video import Video
from metrics.footage import clip, mesh, pictures


def measured(fake: np.ndarray, real: np.ndarray, **options) -> dict[str, float]:
    metric = Paired(**options)
    metric.update(Video.from_arrays("a", fake), Video.from_arrays("a", real, landmarks=mesh(len(real)) - 100))
    return metric.report().values


def test_a_known_error_has_a_known_psnr():
    real = np.clip(pictures(5), 20, 200)
    values = measured(real + 10, real)
    assert values["psnr"] == pytest.approx(20 * np.log10(255 / 10), abs=1e-4)
    assert 0.8 < values["ssim"] < 1


def test_identical_frames_are_perfect():
    real = pictures(3)
    values = measured(real, real)
    assert values["ssim"] == pytest.approx(1, abs=1e-6)
    assert np.isinf(values["psnr"])


def test_more_blur_is_worse():
    real = pictures(3, (96, 96))
    blurred = [np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in real]) for sigma in (2, 8)]
    weak, strong = (measured(fake, real) for fake in blurred)
    assert weak["psnr"] > strong["psnr"] + 3
    assert weak["ssim"] > strong["ssim"]


def test_the_shorter_side_decides_and_batches_do_not_matter():
    real = pictures(9)
    fake = np.clip(real.astype(int) + np.random.default_rng(0).integers(-20, 20, real.shape), 0, 255).astype(np.uint8)
    whole, parts = measured(fake[:7], real, batch=7), measured(fake[:7], real, batch=2)
    assert whole == pytest.approx(parts, rel=1e-6)
    metric = Paired(batch=3)
    metric.update(Video.from_arrays("a", fake[:7]), Video.from_arrays("a", real))
    assert metric.report().verdicts[0].reason == "7 generated against 9 real frames: the first 7 were compared"


def test_the_mouth_box_sees_only_the_mouth():
    real = pictures(2, (160, 160))
    fake = real.copy()
    fake[:, 60:160, 20:140] = 255 - fake[:, 60:160, 20:140]
    values = measured(fake, real, mouth=True)
    assert values["mouth_psnr"] < values["psnr"]
    outside = real.copy()
    outside[:, :40] = 0
    assert np.isinf(measured(outside, real, mouth=True)["mouth_psnr"])


def test_unequal_sizes_are_a_verdict_until_a_size_is_given():
    metric = Paired()
    metric.update(clip("a", 2), Video.from_arrays("a", pictures(2, (24, 32))))
    assert "different sizes (64x48 and 32x24)" in metric.report().verdicts[0].reason
    assert "psnr" in measured(pictures(2), pictures(2, (24, 32)), size=(24, 32))


def test_lpips_uses_the_users_alexnet_and_is_left_out_without_it(tmp_path: Path):
    torch.manual_seed(0)
    path = tmp_path / "alexnet.pth"
    torch.save({f"features.{k}": v for k, v in alexnet(weights=None).features.state_dict().items()}, path)
    real = pictures(2, (64, 64))
    metric = Paired(path)
    metric.update(Video.from_arrays("a", 255 - real), Video.from_arrays("a", real))
    metric.update(Video.from_arrays("b", real), Video.from_arrays("b", real))
    report = metric.report()
    assert report.verdicts[0].values["lpips"] > 1e-4
    assert report.verdicts[1].values["lpips"] == pytest.approx(0, abs=1e-6)
    assert "alexnet.pth" in report.weights
    without = Paired().report()
    assert "alexnet-owt-7be5be79.pth" in without.notes[0]
    assert without.skipped is None
