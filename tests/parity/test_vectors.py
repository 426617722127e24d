"""The runner over a small set of recorded vectors, and that it misses nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from run_vectors import main, run
from safetensors.torch import load_file, save_file

GOLDEN = Path(__file__).parents[1] / "golden" / "hallo"


def test_the_small_set_passes_and_nothing_of_it_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(GOLDEN)]) == 0
    printed = capsys.readouterr().out
    assert "all cases pass" in printed
    assert "skipped" not in printed
    outputs = sum(name.startswith("out.") for case in run(GOLDEN) for name in case.io)
    assert printed.count(" pass") - 1 == outputs == 30
    assert {case.name[:6] for case in run(GOLDEN)} == {"case01", "case02", "case03", "case05", "case06", "case09"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the small set without its largest file."""
    return Path(shutil.copytree(GOLDEN, tmp_path / "set", ignore=shutil.ignore_patterns("down_path*", "*.py")))


def alter(path: Path, key: str, by: float) -> None:
    tensors = load_file(path)
    tensors[key].view(-1)[0] += by
    save_file(tensors, path)


@pytest.mark.parametrize(
    ("file", "key", "by"),
    [
        ("case01_audio_proj.io", "out.context_tokens", 1e-3),
        ("case06_motion_module.io", "out.with_motion_frames", 1e-4),
        ("case09_scheduler.io", "out.timesteps.4", 1),
        ("case09_scheduler.io", "out.train.min_snr_weight_gamma5", float("nan")),
        ("net.state", "imageproj.proj.weight", 1e-2),
        ("case05_audio_block.state", "transformer_blocks.0.zero_conv_lip.bias", 1e-3),
    ],
)
def test_a_changed_number_is_a_miss(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, key: str, by: float
) -> None:
    alter(folder / f"{file}.safetensors", key, by)
    assert main([str(folder)]) == 1
    assert "MISS" in capsys.readouterr().out


def test_a_changed_shape_is_a_miss(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "case02_image_proj.io.safetensors"
    tensors = load_file(path)
    tensors["out.tokens"] = tensors["out.tokens"][:, :1].contiguous()
    save_file(tensors, path)
    assert main([str(folder)]) == 1
    assert "shape" in capsys.readouterr().out


def test_an_output_that_nobody_compares_is_a_miss(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "case02_image_proj.io.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "out.something_new": torch.zeros(1), "info.note": torch.zeros(1)}, path)
    assert main([str(folder)]) == 1
    printed = capsys.readouterr().out
    assert "out.something_new" in printed
    assert "MISS not compared" in printed
    assert "info.note" not in printed


def test_tensors_stored_in_half_precision_are_cast(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "net.state.safetensors"
    tensors = load_file(path)
    save_file({k: t.half() if k.startswith("imageproj.") else t for k, t in tensors.items()}, path)
    assert main([str(folder)]) == 1  # these were rounded; the arithmetic still ran, in fp32
    printed = capsys.readouterr().out
    assert "tokens_uncond" in printed
    assert printed.count("MISS") == 2


def test_an_unknown_case_is_not_passed_over(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["cases"][0]["id"] = "case99_new"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(KeyError, match="case99_new"):
        run(folder)


def test_a_folder_without_manifest_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert main([]) == 2
    assert "usage" in capsys.readouterr().out
