from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hallo_lit.errors import UserError
from hallo_lit.stages.callbacks.nan_guard import NanGuard
from hallo_lit.stages.running import make_data, make_stage, make_trainer
from stages.small import config


def test_the_batch_that_broke_the_loss_is_kept(store: Path, tmp_path: Path) -> None:
    settings = config(store, "name=broken", "steps=3")
    stage, trainer, data = make_stage(settings), make_trainer(settings), make_data(settings)
    trainer.callbacks.insert(0, NanGuard(tmp_path / "stopped"))  # type: ignore[attr-defined]
    weight = stage.network.audio_projection.proj1.weight  # type: ignore[union-attr]
    with torch.no_grad():
        weight[0, 0] = float("nan")  # type: ignore[index, operator]
    with pytest.raises(UserError, match="became nan at step 0"):
        trainer.fit(stage, datamodule=data)
    record = json.loads((tmp_path / "stopped/step000000_rank0.json").read_text())
    assert len(record["samples"]) == 2
    assert set(record["clips"]) <= {f"p{person}/clip.mp4" for person in range(4)}
    assert record["not_finite"] == []
    batch = load_file(tmp_path / "stopped/step000000_rank0.safetensors")
    assert batch["frames"].shape == (2, 3, 3, 16, 16)
    assert batch["index"].tolist() == record["samples"]
    assert not (Path(settings["run_dir"]) / "checkpoints").exists()
