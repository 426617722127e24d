from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hallo_lit.errors import UserError
from hallo_lit.metrics.fvd import FVD
from hallo_lit.metrics.video import Video
from metrics.footage import clip, pictures


class Script(nn.Module):
    """Takes what StyleGAN-V's file takes; its features are means over a grid of the clip."""

    def forward(self, x: Tensor, rescale: bool, resize: bool, return_features: bool) -> Tensor:
        assert not rescale
        assert not resize
        assert return_features
        return nn.functional.adaptive_avg_pool3d(x, (4, 5, 20)).mean(1).flatten(1)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "i3d_torchscript.pt"
    torch.jit.script(Script()).save(str(path))
    return path


def test_windows_are_complete_and_the_same_on_both_sides(script: Path):
    metric = FVD(script, window=9)
    metric.update(clip("a", 20), clip("a", 30, 1))
    metric.update(clip("b", 9), clip("b", 9, 2))
    metric.update(clip("short", 8), clip("short", 30))
    report = metric.report()
    assert report.values["fvd_n_real"] == report.values["fvd_n_fake"] == 3
    assert [verdict.counted for verdict in report.verdicts] == [True, True, False]
    assert report.verdicts[0].reason == "2 generated against 3 real windows: the first 2 were compared"
    assert report.verdicts[2].reason == "one of the sides is shorter than a window of 9 frames"
    assert "rank-deficient" in report.notes[0]
    assert script.name in report.weights


def test_equal_clips_are_at_zero_and_darker_ones_at_the_squared_shift(script: Path):
    frames = np.clip(pictures(27), 60, 200)
    values = []
    for made in (frames, frames - 51):
        metric = FVD(script, window=9)
        metric.update(Video.from_arrays("a", made), Video.from_arrays("a", frames))
        values.append(metric.report().values["fvd"])
    assert values[0] == pytest.approx(0, abs=1e-4)
    assert values[1] == pytest.approx(400 * (2 * 51 / 255) ** 2, rel=1e-3)


def test_one_video_with_one_window_gives_a_sentence_instead_of_a_number(script: Path):
    metric = FVD(script, window=9)
    metric.update(clip("a", 9), clip("a", 9, 1))
    report = metric.report()
    assert report.values == {}
    assert report.notes[0].startswith("fvd needs at least 2 samples on each side and got 1 real and 1 generated")


def test_weights_of_another_network_skip_the_metric(inception_file: Path):
    report = FVD(inception_file).report()
    assert report.skipped is not None
    assert "weights of another network than I3D" in report.skipped
    assert report.values == {}


def test_without_weights_it_names_both_files():
    skipped = FVD().report().skipped
    assert skipped is not None
    assert "i3d_torchscript.pt or i3d_pretrained_400.pt" in skipped


@pytest.mark.parametrize(("options", "told"), [({"preset": "x"}, "choose one of"), ({"window": 8}, "at least 9")])
def test_impossible_settings_are_refused(options, told: str):
    with pytest.raises(UserError, match=told):
        FVD(**options)
