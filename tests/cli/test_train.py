from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir

from hallo_lit.cli.compose import conf_dir
from hallo_lit.cli.main import main
from hallo_lit.stages.checkpoint import read_checkpoint
from hallo_lit.weights.bundle import load_bundle
from stages.small import make_store, settings


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("store") / "clips")


def test_a_run_from_the_command_line_to_a_bundle(store, tmp_path, capfd):
    run = tmp_path / "my run"
    words = ["train", *settings(store, f"run_dir={run}", "steps=2")]
    assert main(words) == 0
    assert (run / "checkpoints/step0000002.ckpt").is_file()
    assert (run / ".hydra/config.yaml").is_file()
    assert "denoiser.*.audio.*" in (run / "train.log").read_text()
    assert main(words) == 2
    assert "resume=auto" in capfd.readouterr().err
    assert main([*words[:-1], "steps=3", "resume=auto"]) == 0
    assert (run / "checkpoints/step0000003.ckpt").is_file()
    assert main(["weights", "export", str(run), f"out={tmp_path}/bundle"]) == 0
    assert load_bundle(tmp_path / "bundle").config["motion_frames"] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["stage=motoin"], "There is no stage=motoin (did you mean motion?)"),
        (["stage.learnin.trains=[a]"], "did you mean stage.learning"),
        (["steps=many"], "steps must be a whole number"),
        (["init.fresh=denoiser.*"], "init.fresh must be a list: init.fresh=[denoiser.*]."),
        (["data.store=nowhere"], "nowhere is not a clip store"),
        (["init.fresh=[]"], "stage=motion does not begin from nothing"),
    ],
)
def test_mistakes_are_one_sentence(store, tmp_path, capfd, words, sentence):
    kept = [word for word in settings(store, f"run_dir={tmp_path}/run") if word.split("=")[0] != words[0].split("=")[0]]
    assert main(["train", *kept, *words]) == 2
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert sentence in said
    assert said.startswith("hallo-lit: ")


def test_a_multirun_files_its_rows_under_one_name(store, tmp_path):
    words = settings(store, f"run_dir={tmp_path}/sweep", "steps=1", "seed=1,2", "name=sweep")
    assert main(["train", "-m", *words]) == 0
    rows = [read_checkpoint(tmp_path / f"sweep/{row}/checkpoints/step0000001.ckpt").config for row in (0, 1)]
    assert [(row["group"], row["seed"]) for row in rows] == [("sweep", 1), ("sweep", 2)]
    assert all(f"seed={row['seed']}" in row["name"] for row in rows)


def test_a_file_in_the_place_of_a_run_is_left_alone(store, tmp_path, capfd):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    assert main(["train", *settings(store, f"run_dir={taken}", "steps=1")]) == 2
    assert f"{taken} cannot be written" in capfd.readouterr().err
    assert taken.read_text() == "mine"


def test_a_sweep_ends_with_the_row_that_was_stopped(store, tmp_path, monkeypatch):
    begun = []

    def stopped(config):
        begun.append(config["seed"])
        return 130

    monkeypatch.setattr("hallo_lit.stages.running.train", stopped)
    assert main(["train", "-m", *settings(store, f"run_dir={tmp_path}/sweep", "steps=1", "seed=1,2")]) == 130
    assert begun == [1]


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local", "submitit_slurm"])
def test_launchers_of_hydra_fit(launcher):
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = hydra_compose("train", overrides=[f"hydra/launcher={launcher}"], return_hydra_config=True)
    assert cfg.hydra.launcher._target_.startswith("hydra_plugins.")


@pytest.mark.slow
def test_two_processes_from_the_command_line(store, tmp_path):
    words = settings(
        store, f"run_dir={tmp_path}/run", "steps=2", "trainer=ddp_cpu", "data.batch_size=1", "callbacks=default"
    )
    command = [sys.executable, "-m", "hallo_lit.cli", "train", *words]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run/checkpoints/step0000002.ckpt").is_file()
