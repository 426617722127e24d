"""Every metric's settings build it, without any weights at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hallo_lit.factory import build
from hallo_lit.metrics.base import VideoMetric

FILES = sorted((Path(__file__).parents[2] / "conf" / "metric").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_settings_build_a_metric_that_measures_or_says_what_to_bring(file: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metric = build(yaml.safe_load(file.read_text()))
    assert isinstance(metric, VideoMetric)
    assert type(metric).__module__ == f"hallo_lit.metrics.{file.stem}"
    report = metric.report()
    assert report.values == {}
    assert metric.protocol
    if report.skipped is not None:
        assert "\n" not in report.skipped
        assert "pretrained_models" in report.skipped
