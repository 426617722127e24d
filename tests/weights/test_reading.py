from __future__ import annotations

import argparse
import hashlib
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hallo_lit.errors import UserError
from hallo_lit.weights.reading import read_state, sniff

from .onnx_model import face_encoder

STATE = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.float16)}


def same(path: Path) -> bool:
    found = read_state(path)
    return found.keys() == STATE.keys() and all(torch.equal(found[key], STATE[key]) for key in STATE)


def refused(path: Path) -> str:
    """The sentence, checked for what every sentence must have."""
    with pytest.raises(UserError) as caught:
        read_state(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_safetensors_under_any_name(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "x.pth")
    assert sniff(tmp_path / "x.pth") == "safetensors"
    assert same(tmp_path / "x.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_both_torch_formats_under_any_name(tmp_path: Path, legacy: bool) -> None:
    torch.save(STATE, tmp_path / "x.safetensors", _use_new_zipfile_serialization=not legacy)
    assert sniff(tmp_path / "x.safetensors") == ("pickle" if legacy else "zip")
    assert same(tmp_path / "x.safetensors")


@pytest.mark.parametrize("wrapped", [{"state_dict": STATE, "epoch": 3}, {"model": {"state_dict": STATE}}])
def test_a_wrapped_state_dict_is_unwrapped(tmp_path: Path, wrapped: object) -> None:
    torch.save(wrapped, tmp_path / "x.ckpt")
    assert same(tmp_path / "x.ckpt")


def test_the_prefix_of_parallel_training_is_removed(tmp_path: Path) -> None:
    torch.save({f"module.{key}": value for key, value in STATE.items()}, tmp_path / "x.pth")
    assert same(tmp_path / "x.pth")


def test_writing_to_a_mapped_tensor_leaves_the_file_alone(tmp_path: Path) -> None:
    for name in ("x.safetensors", "x.pth"):
        path = tmp_path / name
        save_file(STATE, path) if path.suffix == ".safetensors" else torch.save(STATE, path)
        before = hashlib.sha256(path.read_bytes()).digest()
        read_state(path)["a"].add_(1)
        assert hashlib.sha256(path.read_bytes()).digest() == before


def test_missing(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "net.pth")


def test_a_folder_says_which_file_to_give(tmp_path: Path) -> None:
    assert "is a folder; give a weight file" in refused(tmp_path)
    save_file(STATE, tmp_path / "model.safetensors")
    assert "such as" in refused(tmp_path)
    assert "model.safetensors" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4850000000\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\n  <html><head></head></html>", "web page"),
        (b'{"error": "not found"}', "neither safetensors nor"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "neither safetensors nor"),
        (b"PK\x03\x04" + bytes(40), "end of the archive is missing"),
        (bytes(range(256)) * 8, "neither safetensors nor"),
    ],
)
def test_what_is_no_weight_file_at_all(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    assert words in refused(path)


@pytest.mark.parametrize("kind", ["safetensors", "zip", "pickle"])
@pytest.mark.parametrize("part", [0.5, 0.97])
def test_truncated_files(tmp_path: Path, kind: str, part: float) -> None:
    state = {"weight": torch.rand(4000), "bias": torch.rand(4000)}
    path = tmp_path / "net.pth"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert "truncated" in refused(path)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_wants_to_run_code_is_not_opened(tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "net.pth"
    torch.save({"a": argparse.Namespace(x=1)}, path, _use_new_zipfile_serialization=not legacy)
    sentence = refused(path)
    assert "argparse.Namespace" in sentence
    assert "any code" in sentence


def test_a_whole_module_is_not_opened(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "net.pth")
    assert "torch.nn.modules.linear.Linear" in refused(tmp_path / "net.pth")


def test_other_archives(tmp_path: Path) -> None:
    path = tmp_path / "antelopev2.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("antelopev2/glintr100.onnx", b"x")
    assert "unpack it and give antelopev2/glintr100.onnx" in refused(path)
    torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "net.pt"))
    assert "TorchScript" in refused(tmp_path / "net.pt")


@pytest.mark.parametrize("found", [[STATE["a"]], {"lr": 0.1}, {}, STATE["a"]])
def test_no_state_dict_inside(tmp_path: Path, found: object) -> None:
    torch.save(found, tmp_path / "net.pth")
    assert "no state dict" in refused(tmp_path / "net.pth")


def test_more_than_tensors_inside(tmp_path: Path) -> None:
    torch.save({**STATE, "step": 3}, tmp_path / "net.pth")
    assert "more than tensors (step)" in refused(tmp_path / "net.pth")


def test_onnx_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(face_encoder())
    assert sniff(tmp_path / "net.onnx") == "onnx"
    assert "ONNX" in refused(tmp_path / "net.onnx")
