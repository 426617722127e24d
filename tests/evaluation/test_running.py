from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from evaluation.small_model import SMALL
from hallo_lit.animation.animator import Animator
from hallo_lit.cli.compose import compose, plain
from hallo_lit.errors import UserError
from hallo_lit.evaluation.running import evaluate
from hallo_lit.evaluation.table import REAL, Table

LENIENT = ("metric.aperture.fewest=3", "metric.diversity.fewest=3", "+metric@metric.paired=paired")


def settings(talks: Path, place: Path, *words: str) -> dict[str, Any]:
    paths = [f"cases.folder='{talks}'", f"run_dir='{place}/run'", f"cache_dir='{place}/cache'"]
    config: dict[str, Any] = plain(compose("evaluate", *SMALL, "cases=folder", *paths, *words))
    return config


def test_a_table_of_a_model_other_methods_and_the_truth(talks: Path, little: Animator, tmp_path: Path) -> None:
    """The rows of tables 1 to 3 in small; a copy of the truth shows what a perfect method would get."""
    shutil.copytree(talks, tmp_path / "perfect")
    config = settings(talks, tmp_path, *LENIENT, f"++methods.perfect='{tmp_path / 'perfect'}'")
    heard: list[str] = []
    table = evaluate(config, little, tell=heard.append)
    assert [row.name for row in table.rows] == ["perfect", "ours", REAL]
    perfect, ours, real = table.rows
    assert [(row.counted, row.total) for row in table.rows] == [(2, 2)] * 3
    assert perfect.values["aperture_r"] == pytest.approx(1)
    assert np.isinf(perfect.values["psnr"])
    assert ours.values["psnr"] < 40
    assert "psnr" not in real.values
    assert any("picture and sound overlap" in item.remarks["aperture_sync"] for item in perfect.items)
    assert not heard
    assert Table.load(tmp_path / "run" / "table.json") == table
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["cases"]["folder"] == str(talks)
    assert little.weights in table.header["ours"]
    assert "2 clips" in table.header["test set"]
    assert any("lpips was skipped" in note for note in perfect.notes)

    videos = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.*") if path.is_file()}
    assert evaluate(config, little).rows == table.rows
    assert videos == {path: path.stat().st_mtime_ns for path in videos}


def test_folders_alone_need_no_model(talks: Path, tmp_path: Path) -> None:
    words = ["generate=false", f"++methods.copy='{talks}'", "metric.aperture_sync=null", "metric.aperture=null"]
    table = evaluate(settings(talks, tmp_path, *words, "metric.diversity=null", "metric.smoothness.landmarks=false"))
    assert [row.name for row in table.rows] == ["copy", REAL]
    assert table.rows[0].values == table.rows[1].values
    assert table.rows[0].values["flicker_of_real"] == 1


def test_skipped_metrics_are_told_before_the_work(talks: Path, little: Animator, tmp_path: Path) -> None:
    heard: list[str] = []
    config = settings(talks, tmp_path, "metrics=paper", "generate=false")
    table = evaluate(config, tell=heard.append)
    assert [line.split(" ")[0] for line in heard] == ["FID", "FVD", "Sync", "EFID"]
    assert all("bring " in line for line in heard)
    assert table.header["fid, skipped"] == heard[0]
    assert table.rows[0].values == {}


def test_when_nothing_can_be_animated_nothing_is_written(talks: Path, little: Animator, tmp_path: Path) -> None:
    from evaluation.footage import write

    write(tmp_path / "walls" / "wall.mp4", side=128)
    with pytest.raises(UserError, match="None of the 1 clips could be animated; wall: "):
        evaluate(settings(tmp_path / "walls", tmp_path), little)
    assert not (tmp_path / "run").exists()


def test_a_table_without_metrics_is_refused(talks: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No metric is chosen"):
        evaluate({**settings(talks, tmp_path), "metric": {"drift": None}})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["++methods.v1.5=folder"], "methods.v1 must be a folder"),
        (["++methods.ours=nowhere"], "methods.ours: another row"),
        (["methods=folder"], "write methods.NAME=FOLDER"),
        (["++methods.none=nowhere"], "nowhere is not a folder"),
        (["weights=no/bundle"], "no/bundle"),
        (["bootstrap.level=95"], "bootstrap.level=95"),
        (["device=tpu"], "device=tpu"),
    ],
)
def test_wrong_settings_are_one_sentence(talks: Path, tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        evaluate(settings(talks, tmp_path, *words))
    assert not (tmp_path / "run").exists()
