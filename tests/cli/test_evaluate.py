from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from evaluation.footage import folder
from evaluation.small_model import SMALL
from hallo_lit.cli.compose import compose
from hallo_lit.cli.evaluate import settings
from hallo_lit.cli.main import main
from hallo_lit.cli.recommended import SETTINGS
from hallo_lit.evaluation.running import OF_THE_MODEL
from hallo_lit.weights.bundle import save_bundle

GREY = (
    "metric.aperture=null",
    "metric.aperture_sync=null",
    "metric.diversity=null",
    "metric.smoothness.landmarks=false",
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Real videos and those of another method, from where the command is called."""
    folder(tmp_path / "real", {"a": 100, "b": 110})
    folder(tmp_path / "SadTalker's, é", {"a": 90, "stranger": 10})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_of_videos_becomes_a_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cases=folder", "cases.folder=real", "generate=false", "methods.SadTalker=SadTalker's, é", *GREY]
    assert main(["evaluate", *words]) == 0
    out, _ = capsys.readouterr()
    assert "SadTalker" in out
    assert "Real video" in out
    assert "1/2" in out
    place = here / "outputs" / "evaluate" / "table"
    lines = [line for line in (place / "table.csv").read_text().splitlines() if not line.startswith("#")]
    assert [row["name"] for row in csv.DictReader(lines)] == ["SadTalker", "Real video"]
    items = list(csv.DictReader((place / "items.csv").open()))
    assert [(row["row"], row["item"], row["counted"]) for row in items[:2]] == [
        ("SadTalker", "a", "yes"),
        ("SadTalker", "b", "no"),
    ]


def test_a_table_without_any_number_is_a_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "cases=folder", "cases.folder=real", "generate=false", "metrics=paper"]) == 1
    _, err = capsys.readouterr()
    assert err.count("was skipped. ") == 4
    assert "syncnet_v2.model" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cases.folder=nowhere"], "nowhere is no corpus"),
        (["cases=folder", "cases.folder=nowhere"], "nowhere is not a folder"),
        (["cases=store", "cases.folder=real"], "real is not a clip store"),
        (["cases=folder", "cases.folder=real", "methods.x=nowhere"], "nowhere is not a folder"),
        (["cases=folder", "cases.folder=real", "methods=x"], "write methods.NAME=FOLDER"),
        (["cases=folder", "cases.folder=real", "weights=nobody's"], "nobody's"),
        (["metrics=papers"], "did you mean paper?"),
        (["experiment=tiny_motion"], "experiment=tiny_motion is not for evaluate"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["evaluate", *words]) == 2
    _, err = capsys.readouterr()
    assert said in err
    assert err.count("\n") == 1
    assert not (here / "outputs" / "evaluate" / "table").exists()


def test_experiments_of_tables_are_not_for_training(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "experiment=table1_hdtf"]) == 2
    assert "experiment=table1_hdtf is not for train" in capsys.readouterr().err


def test_everything_that_decides_on_a_video_can_be_set() -> None:
    """A bundle may recommend any of it, and `animate` has it, too."""
    there = set(compose("evaluate"))
    assert set(SETTINGS) <= there  # crop_margin by model=tiny
    assert (set(OF_THE_MODEL) & set(compose("animate"))) <= there


def test_a_bundle_is_sampled_as_it_recommends(tmp_path: Path) -> None:
    from hallo_lit.cli.compose import plain
    from hallo_lit.evaluation.running import animator_of

    config = plain(compose("evaluate", *SMALL, "cfg_scale=1.7"))
    animator = animator_of(config)
    kept = {key: config[key] for key in ("model", "audio_encoder", "face_encoder", "sampler", "guidance", "size")}
    encoders = {"audio_encoder": animator.audio_encoder, "face_encoder": animator.portraits.face_encoder}
    parts = {name: made for name, made in encoders.items() if isinstance(made, torch.nn.Module)}
    bundle = save_bundle(tmp_path / "bundle", animator.hallo, kept, parts)
    found = settings(compose("evaluate", f"weights='{bundle}'"))
    assert (found["sampler"]["steps"], found["size"]["height"]) == (1, 32)
