from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from run_metric_vectors import main, run
from safetensors.numpy import load_file, save_file

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics"


def test_the_golden_vectors_pass():
    cases = list(run(GOLDEN))
    assert len(cases) > 60
    assert [case.name for case in cases if not case.passed] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "vectors"))


def change(folder: Path, file: str, key: str, by: float) -> None:
    tensors = load_file(folder / file)
    tensors[key] = (tensors[key] + np.asarray(by, tensors[key].dtype)).astype(tensors[key].dtype)
    save_file(tensors, folder / file)


def without_hashes(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"].values():
        del entry["sha256"]
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("file", "key", "by"),
    [
        ("frechet.safetensors", "full_rank_d16.fd", 1e-6),
        ("mfcc.safetensors", "white_quiet.mfcc", 1e-8),
        ("syncnet.safetensors", "arith.lead4.offset", 1),
        ("syncnet_crop.safetensors", "rect_in_padded_image_y0_y1_x0_x1_pad", 1),
    ],
)
def test_a_wrong_number_is_a_miss(folder: Path, monkeypatch, capsys, file: str, key: str, by: float):
    change(folder, file, key, by)
    without_hashes(folder)
    monkeypatch.setattr(sys, "argv", ["run", str(folder), "--only", file.split(".")[0]])
    assert main() == 1
    assert "MISS" in capsys.readouterr().out


def test_a_changed_file_is_told_by_its_hash(folder: Path):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {"mfcc.safetensors": {**manifest["files"]["mfcc.safetensors"], "sha256": "0"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert [case.name for case in run(folder) if not case.passed] == ["mfcc: sha256 of the file"]


def test_a_folder_without_manifest_is_refused(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run", str(tmp_path)])
    assert main() == 2
    assert "no manifest.json" in capsys.readouterr().err
