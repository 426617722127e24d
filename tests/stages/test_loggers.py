from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from hallo_lit.stages.loggers import begin_anew, has_key, show_picture, wandb_logger
from hallo_lit.stages.running import train

from .small import config


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any key."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return tmp_path


def test_wandb_without_a_key_is_offline(nowhere: Path) -> None:
    assert not has_key()
    logger = wandb_logger("project", "name", str(nowhere / "run"))
    assert logger._offline  # type: ignore[attr-defined]


def test_a_key_is_found_where_wandb_looks(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nowhere / "netrc").write_text("machine api.wandb.ai login user password 0123\n")
    (nowhere / "netrc").chmod(0o600)
    assert has_key()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert not has_key()
    monkeypatch.setenv("WANDB_API_KEY", "0123")
    assert has_key()


def test_a_run_tells_every_logger_what_trains_and_how(nowhere: Path, store: Path) -> None:
    words = ("logger=[csv,tensorboard,wandb]", f"run_dir={nowhere}/run", "steps=2", "log_every=1")
    train(config(store, *words))
    run = nowhere / "run"
    kept = (run / "logs/hparams.yaml").read_text()
    assert "audio_projection.*" in kept
    assert "drop_rates" in kept
    assert (run / "logs/metrics.csv").read_text().startswith("epoch,step,train/loss")
    assert list((run / "tensorboard").glob("events*"))
    assert list((run / "wandb").glob("offline-run-*/*.wandb"))


def test_a_run_that_goes_on_is_one_run_of_wandb(nowhere: Path, store: Path) -> None:
    words = ("logger=wandb", f"run_dir={nowhere}/run", "log_every=1")
    for more in (("steps=1",), ("steps=2", "resume=auto")):
        train(config(store, *words, *more))
    names = {path.name.rpartition("-")[2] for path in (nowhere / "run/wandb").glob("offline-run-*")}
    assert names == {(nowhere / "run/wandb_run").read_text().strip()}
    begin_anew(nowhere / "run")
    wandb_logger("project", "name", str(nowhere / "run"))
    assert names != {(nowhere / "run/wandb_run").read_text().strip()}


def test_pictures_go_to_the_loggers_that_take_them(tmp_path: Path) -> None:
    board = TensorBoardLogger(str(tmp_path), "", "board")
    show_picture([CSVLogger(str(tmp_path)), board], "faces", np.zeros((8, 8, 3), np.uint8), 5)
    board.finalize("success")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    assert [event.step for event in events.Images("faces")] == [5]
