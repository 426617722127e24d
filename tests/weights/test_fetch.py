from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights import fetch as module
from hallo_lit.weights.fetch import RECORD, fetch, status
from hallo_lit.weights.index import sha256
from hallo_lit.weights.known import KNOWN, Known


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A hub that gives `content`; counts how often it is asked."""
    state: dict[str, Any] = {"content": b"x" * 5000, "asked": 0}

    def download(repo: str, file: str, local_dir: Path) -> str:
        state["asked"] += 1
        path = Path(local_dir) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(state["content"])
        return str(path)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    return state


def test_a_download_lands_in_its_place_once_and_is_recorded(tmp_path: Path, hub: dict[str, Any]) -> None:
    [path] = fetch(["hallo"], tmp_path)
    assert path == tmp_path / "hallo" / "net.pth"
    assert path.read_bytes() == hub["content"]
    record = json.loads((tmp_path / RECORD).read_text())
    assert record["hallo/net.pth"]["sha256"] == sha256(path)
    assert record["hallo/net.pth"]["source"].endswith("/hallo/resolve/main/hallo/net.pth")
    fetch(["hallo"], tmp_path)
    assert hub["asked"] == 1
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [RECORD, "net.pth"]


def test_a_wrong_hash_is_not_kept(tmp_path: Path, hub: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"has the hash [0-9a-f]{64} instead of a1d993"):
        fetch(["sd-vae-ft-mse"], tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_pointer_or_a_cut_file_is_fetched_again(tmp_path: Path, hub: dict[str, Any]) -> None:
    path = tmp_path / "hallo" / "net.pth"
    path.parent.mkdir()
    path.write_text("version https://git-lfs.github.com/spec/v1")
    fetch(["hallo"], tmp_path)
    assert path.read_bytes() == hub["content"]


def test_offline_the_sentence_says_what_to_get_and_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        fetch(["glintr100"], tmp_path)
    sentence = str(caught.value)
    assert (
        "https://huggingface.co/fudan-generative-ai/hallo/resolve/main/face_analysis/models/glintr100.onnx" in sentence
    )
    assert str(tmp_path / "face_analysis" / "models" / "glintr100.onnx") in sentence
    assert "non-commercial research only" in sentence
    assert "\n" not in sentence


def test_names_are_checked_before_anything_is_downloaded(tmp_path: Path, hub: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="no weights called 'halo'"):
        fetch(["hallo", "halo"], tmp_path)
    assert hub["asked"] == 0


def test_status_tells_there_missing_and_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = (*KNOWN[:2], Known("sized", "a/b", "c", "c", "hallo", "test", 2000))
    monkeypatch.setattr(module, "KNOWN", items)
    monkeypatch.setattr(module, "JUDGES", ())
    (tmp_path / "hallo").mkdir()
    (tmp_path / "hallo" / "net.pth").write_bytes(bytes(4000))
    (tmp_path / "c").write_bytes(bytes(1500))
    found = {line.item.name: line for line in status(tmp_path)}
    assert found["hallo"].present
    assert found["hallo"].problem is None
    assert not found["hallo2"].present
    assert "1500 bytes instead of 2000" in str(found["sized"].problem)
    (tmp_path / "hallo" / "net.pth").write_bytes(bytes(130))
    assert "git-lfs pointer" in str(status(tmp_path)[0].problem)


def test_a_file_that_is_not_on_the_hub_is_taken_from_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "made-elsewhere.pth"
    source.write_bytes(b"y" * 3000)
    wanted = sha256(source)[:8]
    item = Known("own", "", "", f"evaluation/own-{wanted}.pth", "unknown", "test", link=source.as_uri())
    monkeypatch.setattr(module, "known", lambda name: item)
    (path,) = fetch(["own"], tmp_path / "to")
    assert path.read_bytes() == source.read_bytes()
    other = Known("own", "", "", "evaluation/own-00000000.pth", "unknown", "test", link=source.as_uri())
    monkeypatch.setattr(module, "known", lambda name: other)
    with pytest.raises(UserError, match="invalid hash value"):
        fetch(["own"], tmp_path / "to")
    assert not (tmp_path / "to" / "evaluation" / "own-00000000.pth").exists()


def test_what_a_person_must_find_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"deep3d cannot be fetched by a program: find it from https://.*epoch_20\.pth"):
        fetch(["deep3d"], tmp_path)
