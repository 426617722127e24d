from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights.hub import local_folder, push_to_hub, reason
from hallo_lit.weights.index import INDEX, write_index


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text("model: {}")
    write_index(tmp_path, ["config.yaml"])
    return tmp_path


def test_a_folder_is_itself(bundle: Path) -> None:
    assert local_folder(bundle) == bundle
    assert local_folder(str(bundle)) == bundle


def test_an_id_is_downloaded_without_code(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def download(repo: str, **words: Any) -> str:
        asked.update(words, repo=repo)
        return str(bundle)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert local_folder("someone/talk") == bundle
    assert asked["repo"] == "someone/talk"
    assert INDEX in asked["allow_patterns"]
    assert not any(pattern.endswith((".py", ".bin", ".pth", ".pkl", "*")) for pattern in asked["allow_patterns"])


def test_offline_the_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"download https://huggingface\.co/someone/talk .* and give its folder"):
        local_folder("someone/talk")


@pytest.mark.parametrize("where", ["nowhere", "a/b/c", "../x", "/no/such/folder", "user/na me"])
def test_neither_folder_nor_id(where: str) -> None:
    with pytest.raises(UserError, match="There is no bundle folder"):
        local_folder(where)


def test_a_file_is_no_bundle(bundle: Path) -> None:
    with pytest.raises(UserError, match="a bundle is a folder"):
        local_folder(bundle / "config.yaml")


def test_only_a_whole_bundle_is_pushed(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, Any]] = []

    class Api:
        def create_repo(self, repo: str, private: bool, exist_ok: bool) -> str:
            done.append(("create", private))
            return f"https://huggingface.co/{repo}"

        def upload_folder(self, repo_id: str, folder_path: Path, commit_message: str) -> None:
            done.append(("upload", folder_path))

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    assert push_to_hub(bundle, "me/talk") == "https://huggingface.co/me/talk"
    assert done == [("create", True), ("upload", bundle)]
    (bundle / "config.yaml").write_text("model: {changed: true}")
    with pytest.raises(UserError, match="is altered"):
        push_to_hub(bundle, "me/talk")
    with pytest.raises(UserError, match="not a hub id"):
        push_to_hub(bundle, "talk")
    assert len(done) == 2


def test_a_refusal_is_one_sentence(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("401 Client Error\nRequest id: 1234")

    monkeypatch.setattr(huggingface_hub, "HfApi", refuse)
    with pytest.raises(UserError, match=r"did not take .* \(401 Client Error\); log in"):
        push_to_hub(bundle, "me/talk")


def test_reasons_are_short() -> None:
    assert reason(ValueError()) == "ValueError"
    assert len(reason(ValueError("x" * 500))) == 140
