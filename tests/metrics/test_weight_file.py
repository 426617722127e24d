from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hallo_lit.errors import UserError
from hallo_lit.metrics.weight_file import WeightFile, is_torchscript, load_strict, read_state, sha256

FILE = WeightFile("net.pth", "its author")


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_missing_weights_name_the_file_and_the_setting():
    with pytest.raises(UserError, match=r"bring net\.pth \(its author\) and set metric\.x\.weights"):
        FILE.find(None, "metric.x.weights")


def test_a_path_without_a_file_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"elsewhere\.pth is not a file: bring net\.pth"):
        FILE.find(tmp_path / "elsewhere.pth", "metric.x.weights")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_both_formats_fill_a_network_on_the_meta_device(tmp_path: Path, suffix: str):
    source, path = network(), tmp_path / f"net{suffix}"
    state = {name: value for name, value in source.state_dict().items() if "num_batches" not in name}
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    with torch.device("meta"):
        target = network()
    load_strict(target, read_state(path), path)
    assert not target.training
    assert not any(parameter.requires_grad for parameter in target.parameters())
    for name, value in target.state_dict().items():
        assert torch.equal(value, source.state_dict()[name])


def test_half_precision_files_become_float32(tmp_path: Path):
    path = tmp_path / "half.safetensors"
    save_file({name: value.half() for name, value in nn.Linear(3, 2).state_dict().items()}, path)
    target = nn.Linear(3, 2)
    load_strict(target, read_state(path), path)
    assert target.weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s.pop("0.weight"), "0.weight is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "extra is unexpected"),
        (lambda s: s.update({"0.bias": torch.zeros(5)}), r"0.bias is \(5,\) instead of \(2,\)"),
        (lambda s: s["0.bias"].fill_(float("nan")), "0.bias is not finite"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path: Path, change, told: str):
    target, other = network(), network()
    before = target.state_dict()["0.weight"].clone()
    state = other.state_dict()
    change(state)
    with pytest.raises(UserError, match=told):
        load_strict(target, state, tmp_path / "net.pth")
    assert torch.equal(target.state_dict()["0.weight"], before)


def test_an_entry_of_a_checkpoint_is_taken(tmp_path: Path):
    path = tmp_path / "checkpoint.pth"
    torch.save({"net": {"a": torch.ones(1)}, "optimizer": {"step": 3}}, path)
    assert set(read_state(path, "net")) == {"a"}
    with pytest.raises(UserError, match="no plain table of tensors"):
        read_state(path)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path):
    path = tmp_path / "evil.pth"
    torch.save({"a": Path("x")}, path)
    with pytest.raises(UserError, match="cannot be read as weights"):
        read_state(path)


def test_a_damaged_file_is_refused(tmp_path: Path):
    for name in ("a.pth", "a.safetensors"):
        path = tmp_path / name
        path.write_bytes(b"not weights")
        with pytest.raises(UserError, match="cannot be read as weights"):
            read_state(path)


def test_torchscript_is_recognised(tmp_path: Path):
    path = tmp_path / "script.pt"
    torch.jit.script(nn.Linear(2, 2)).save(str(path))
    assert is_torchscript(path)
    torch.save({"a": torch.ones(1)}, tmp_path / "plain.pt")
    assert not is_torchscript(tmp_path / "plain.pt")


def test_the_hash_is_the_files(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf")


def test_a_file_that_is_not_the_published_one_is_said_to_be(tmp_path: Path):
    named = WeightFile("net-ba7816bf.pth", "its author")
    (tmp_path / "a").write_bytes(b"abc")
    assert named.doubt(sha256(tmp_path / "a")) is None
    assert FILE.doubt("0" * 64) is None
    assert "not net-ba7816bf.pth of its author" in (named.doubt("0" * 64) or "")
