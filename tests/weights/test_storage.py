from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from hallo_lit.errors import UserError
from hallo_lit.weights import storage
from hallo_lit.weights.index import INDEX
from hallo_lit.weights.storage import check_place, new_folder, save_tensors


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with new_folder(tmp_path / "deep" / "out") as part:
        (part / "x").write_text("1")
        assert not (tmp_path / "deep" / "out").exists()
    assert names(tmp_path / "deep") == ["out"]
    assert names(tmp_path / "deep" / "out") == ["x"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted() -> None:
        with new_folder(tmp_path / "out") as part:
            (part / "x").write_text("1")
            raise error

    with pytest.raises(error):
        interrupted()
    assert names(tmp_path) == []


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "No space left"), (errno.EACCES, "cannot be written")])
def test_what_the_disk_refuses(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(UserError, match=words), new_folder(tmp_path / "out"):
        raise OSError(number, "told by the test")
    assert names(tmp_path) == []


def test_a_bundle_is_replaced_only_on_demand(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for text in ("1", "2"):
        with new_folder(out, overwrite=True) as part:
            (part / INDEX).write_text(text)
    assert (out / INDEX).read_text() == "2"
    assert names(tmp_path) == ["out"]
    with pytest.raises(UserError, match="overwrite=true"):
        check_place(out)


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    check_place(tmp_path / "photos")
    (tmp_path / "photos" / "me.png").write_text("")
    with pytest.raises(UserError, match="is no bundle"):
        check_place(tmp_path / "photos", overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is no bundle"):
        check_place(tmp_path / "file", overwrite=True)


def test_only_floating_tensors_change_type(tmp_path: Path) -> None:
    state = {"w": torch.rand(4, 3).t(), "step": torch.arange(3), "again": torch.rand(2)}
    count = save_tensors(tmp_path / "x.safetensors", state, torch.float16, {"part": "x"})
    (tmp_path / "usual").touch()
    assert (tmp_path / "x.safetensors").stat().st_mode == (tmp_path / "usual").stat().st_mode
    found = load_file(tmp_path / "x.safetensors")
    assert count == 12 + 3 + 2
    assert torch.equal(found["w"], state["w"].half())
    assert torch.equal(found["step"], state["step"])


def test_tied_tensors_are_written_twice(tmp_path: Path) -> None:
    tied = torch.rand(3)
    save_tensors(tmp_path / "x.safetensors", {"a": tied, "b": tied}, None, {})
    found = load_file(tmp_path / "x.safetensors")
    assert torch.equal(found["a"], tied)
    assert torch.equal(found["b"], tied)


@pytest.mark.parametrize(("value", "words"), [(float("nan"), "NaN or infinite"), (1e6, "too large for float16")])
def test_values_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float, words: str) -> None:
    with pytest.raises(UserError, match=f"^w holds .*{words}"):
        save_tensors(tmp_path / "x.safetensors", {"w": torch.tensor([value])}, torch.float16, {})
    assert names(tmp_path) == []


def test_a_full_disk_is_recognised_behind_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **words: object) -> None:
        raise RuntimeError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(storage, "save_file", full)
    with pytest.raises(UserError, match="No space left"), new_folder(tmp_path / "out") as part:
        save_tensors(part / "x.safetensors", {"w": torch.rand(1)}, None, {})


def test_equal_weights_are_equal_bytes(tmp_path: Path) -> None:
    """safetensors alone would write these words in one of 24 orders."""
    state, words = {"w.é": torch.rand(3, 5), "b": torch.rand(2).half()}, {name: name * 3 for name in ("part", "a", "é")}
    written = []
    for number in range(8):
        path = tmp_path / f"{number}.safetensors"
        save_tensors(path, state, None, words)
        written.append(path.read_bytes())
        with safe_open(path, "pt") as file:
            assert file.metadata() == {"format": "pt", **words}
            assert all(torch.equal(file.get_tensor(name), tensor) for name, tensor in state.items())
    assert len({*written}) == 1
