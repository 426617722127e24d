"""`hallo-lit evaluate sweep=...` from training to the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.conftest import SAMPLES, film
from hallo_lit.cli.compose import compose, conf_dir
from hallo_lit.cli.main import main
from hallo_lit.cli.sweep import own_words
from hallo_lit.evaluation.sweeps.sweep import Sweep, key_of
from hallo_lit.evaluation.table import Table
from hallo_lit.media.audio import read_audio
from stages.small import SMALL, make_store

SWEEPS = sorted(path.stem for path in (conf_dir() / "sweep").glob("*.yaml"))
FILE = """# @package _global_
defaults:
  - _self_
  - override /hydra: sweep
  - override /cases: folder
name: micro
frames: 3
motion_frames: 1
metric: {{aperture: null, aperture_sync: null, diversity: null, smoothness: {{landmarks: false}}}}
cases: {{folder: '{talks}'}}
sweep:
  label: Fusion
  rows: {{fusion=gated: closed at first}}
  repeats: [seed]
  trains: [fusion, seed]
  start: {start}
  train: {train}
  objective: flicker
hydra:
  sweeper:
    params:
      seed: 0
      fusion: gated,convolution
"""


def test_a_job_s_own_words_come_in_the_order_of_the_sweep() -> None:
    task = ["sweep=x", "fusion=gated", "paths.output_dir=o", "seed=1"]
    assert own_words(task, {"seed": "0,1", "fusion": "gated,hierarchical"}) == ["seed=1", "fusion=gated"]
    assert own_words(task, None) == []


@pytest.mark.parametrize("name", [name for name in SWEEPS if not name.startswith("optuna")])
def test_every_sweep_says_how_its_rows_come_about(name: str) -> None:
    from hallo_lit.cli.compose import plain

    cfg = compose("evaluate", f"sweep={name}")
    sweep = Sweep.of(plain(cfg.sweep))
    assert cfg.name == name
    assert sweep.bench or sweep.train or cfg.weights == "tiny"
    for words in filter(None, (sweep.start, sweep.train)):
        assert compose("train", *words).init.fresh
    for row in sweep.rows:
        assert compose("train", *(sweep.train or ()), *([] if "[" in row or sweep.bench else [row])).steps
        assert key_of(row) in (*sweep.trains, "fusion")


def micro(folder: Path) -> list[str]:
    """The words of a sweep over two fusions that takes seconds."""
    store = make_store(folder / "store")
    film(folder / "talks" / "one.mp4", read_audio(SAMPLES / "speech.wav")[8000:], frames=4)
    common = [*SMALL, f"data.store={store}", "data.workers=0", "check_store=[]", "data.batch_size=2", "steps=2"]
    common = [word for word in common if not word.startswith(("callbacks", "fusion"))]
    single = [word for word in common if not word.startswith(("frames", "motion_frames"))]
    (folder / "conf" / "sweep").mkdir(parents=True)
    text = FILE.format(
        talks=folder / "talks",
        start=json.dumps(["stage=appearance", "name=start", "callbacks=none", *single]),
        train=json.dumps(["stage=motion", "name=row", "callbacks=none", *common]),
    )
    (folder / "conf" / "sweep" / "micro.yaml").write_text(text)
    paths = [f"paths.output_dir={folder / 'out'}", "sampler.steps=1", "guidance=none", "device=cpu"]
    return ["evaluate", "-cd", str(folder / "conf"), "sweep=micro", *paths]


def test_rows_are_trained_scored_and_gathered_and_none_is_made_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = micro(tmp_path)
    assert main(words) == 0
    folder = tmp_path / "out" / "evaluate" / "micro"
    table = Table.load(folder / "table.json")
    assert {row.name for row in table.rows} == {"closed at first", "fusion=convolution"}
    assert all(row.counted == 1 and row.values["flicker_of_real"] > 0 for row in table.rows)
    said = capsys.readouterr().out
    assert "micro: seed=0,fusion=gated" in said
    assert (folder / "plot.png").is_file()

    runs = sorted(path.name for path in (tmp_path / "out" / "train").iterdir() if path.is_dir())
    assert [name.partition("-")[0] for name in runs] == ["row", "row", "start"]  # both rows begin from one start
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.ckpt")} | {
        path: path.stat().st_mtime_ns for path in folder.glob("rows/*.json")
    }
    assert main(words) == 0
    assert made == {path: path.stat().st_mtime_ns for path in made}
