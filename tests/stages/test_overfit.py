"""A model learns one clip by heart; if it cannot, nothing else will work."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from hallo_lit.stages.running import train

from .command import ENVIRONMENT
from .small import ALL, batch_of, config, make_store, stage_of

CLIP = ("clips=1", "seconds=2", "test_share=0", "zoom=1.5", "motion=0")


def test_the_loss_falls_on_one_clip(tmp_path: Path) -> None:
    store = make_store(tmp_path / "clip", clips=1)
    words = (ALL, "stage=talking", "steps=30", "optimizer.lr=0.01", "data.batch_size=1", "process.timestep_power=0.3")
    settings = config(store, *words, "name=by_heart")
    first: Any = stage_of(store, *words)
    train(settings)
    state = torch.load(Path(settings["run_dir"]) / "checkpoints/step0000030.ckpt", weights_only=True)["state_dict"]
    learnt = {key.removeprefix("network."): value for key, value in state.items()}
    codec = {key: value for key, value in learnt.items() if key.startswith("codec.")}
    batch = batch_of(store, *words, rows=(0,))
    losses = []
    for weights in (first.network.state_dict() | codec, learnt):
        stage: Any = stage_of(store, *words)
        stage.network.load_state_dict(weights)
        with torch.no_grad():
            streams = stage.streams(batch.index, validating=True)
            losses.append(float(stage.losses(batch, streams, stage.objective.drop_rates).loss))
    assert losses[1] < 0.5 * losses[0]


@pytest.mark.slow
def test_lips_of_a_clip_learnt_by_heart_move(tmp_path: Path) -> None:
    """A minute and a half of training, seen by the samples of the run."""
    call("synthesize", "out=clip", *CLIP, "store=true", "close_up=0.78", "close_up_size=128", folder=tmp_path)
    call("train", "experiment=overfit_one_clip", "data.store=clip", "name=learnt", folder=tmp_path)
    with (tmp_path / "outputs/train/learnt/logs/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    keys = ("error/t750-999", "samples/mouth_psnr", "samples/aperture_r")
    errors, mouth, lips = ([float(row[key]) for row in rows if row.get(key)] for key in keys)
    assert errors[-1] < 0.6 * errors[0]  # measured: 0.40
    assert mouth[-1] > mouth[0] + 2  # dB above the still portrait; measured: 3.0
    assert lips[-1] > 0.4  # measured: 0.66


def call(*words: str, folder: Path) -> None:
    command = [sys.executable, "-m", "hallo_lit.cli", *words]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
