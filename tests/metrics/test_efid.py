from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.metrics.efid import EFID, aligned
from hallo_lit.metrics.protocols import face_align
from hallo_lit.metrics.video import Video
from metrics.footage import clip, curve, mesh, pictures, talking


def beside(folder: Path, name: str, codes: np.ndarray, kind: str) -> Video:
    path = folder / f"{name}.mp4"
    if kind == "npy":
        np.save(path.with_suffix(".npy"), codes)
    elif kind == "tracker":
        (folder / name).mkdir()
        torch.save({"exp": torch.from_numpy(codes), "trans": torch.zeros(3)}, folder / name / "track_params.pt")
    video = clip(name, 2)
    video.path = path
    return video


def codes(frames: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((frames, 79))


@pytest.mark.parametrize("kind", ["npy", "tracker"])
def test_saved_codes_are_compared_over_equal_length_without_nan_rows(tmp_path: Path, kind: str):
    made, true = codes(100, 0), codes(130, 1)
    made[:10] = np.nan
    metric = EFID("tracker79")
    metric.update(beside(tmp_path, "made", made, kind), beside(tmp_path, "true", true, kind))
    report = metric.report()
    assert report.values["e_fid/tracker79"] > 0
    assert (report.values["e_fid/tracker79_n_fake"], report.values["e_fid/tracker79_n_real"]) == (90, 100)
    assert report.verdicts[0].values["dropped"] == pytest.approx(0.1)
    assert any("10.0% of the generated frames had no face" in note for note in report.notes)


def test_missing_or_misshapen_codes_are_verdicts(tmp_path: Path):
    metric = EFID("tracker79")
    good = beside(tmp_path, "good", codes(10, 0), "npy")
    metric.update(beside(tmp_path, "none", codes(10, 0), "nothing"), good)
    metric.update(beside(tmp_path, "thin", codes(10, 0)[:, :5], "npy"), good)
    first, second = metric.report().verdicts
    assert "none of none.npy, none.pt, track_params.pt lies beside it" in first.reason
    assert "shape (10, 5) instead of (frames, 79)" in second.reason


def test_landmark_ratios_never_go_by_the_name_of_e_fid():
    metric = EFID("landmarks")
    same, opening = talking(curve(60)), curve(60, 1)
    metric.update(clip("a", landmarks=talking(3 * opening)), clip("a", landmarks=same))
    values = metric.report().values
    assert all("e_fid" not in key for key in values)
    assert values["landmark_fd"] > 1e-3


def test_a_side_without_faces_is_a_verdict():
    metric = EFID("landmarks")
    metric.update(clip("a", 3, landmarks=np.full((3, 478, 3), np.nan)), clip("a", landmarks=mesh(3)))
    assert "no face was found" in metric.report().verdicts[0].reason


def test_the_reconstruction_network_asks_for_its_file():
    skipped = EFID().report().skipped
    assert skipped is not None
    assert "epoch_20.pth" in skipped
    with pytest.raises(UserError, match="choose one of deep3d64"):
        EFID("bfm")


def test_five_points_of_an_aligned_crop_lie_where_the_network_expects_them():
    image, points = pictures(1, (300, 320))[0], mesh(1)[0]
    assert aligned(image, points).shape == (224, 224, 3)
    five = face_align.five_points(points)
    alignment = face_align.align(five, (300, 320))
    moved = alignment.points(face_align.flip(five, 300))
    assert np.abs(moved.mean(0) - 112).max() < 25
    assert 40 < moved[1, 0] - moved[0, 0] < 90
