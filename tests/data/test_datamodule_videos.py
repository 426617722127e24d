"""Videos and public lists are prepared before training."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hallo_lit.data.datamodule import ClipDataModule
from hallo_lit.data.manifest import Manifest, ManifestRow
from hallo_lit.data.store import Encoder, check_store
from hallo_lit.errors import UserError

from .stores import make_store


def test_videos_are_prepared_first(root, tmp_path):
    calls = []

    def prepare(videos: str, store: Path) -> None:
        calls.append((videos, store))
        make_store(store, (20, 20))

    module = ClipDataModule(tmp_path / "store", videos="my videos/*.mp4", prepare=prepare)
    module.prepare_data()
    assert calls == [("my videos/*.mp4", tmp_path / "store")]
    module.setup("fit")
    assert check_store(tmp_path / "store").ok
    ClipDataModule(root).prepare_data()
    assert len(calls) == 1


def test_videos_are_prepared_by_the_encoders_of_the_run(tmp_path, monkeypatch):
    from hallo_lit.data.preprocess import for_training

    asked: list[dict] = []

    def note(config: dict, progress: bool) -> SimpleNamespace:
        asked.append(config)
        return SimpleNamespace(reused=0, lines=())

    monkeypatch.setattr(for_training, "preprocess", note)
    ears, music = {"_target_": "mine.Ears", "layers": 2}, {"_target_": "mine.Separator"}
    module = ClipDataModule(tmp_path, videos="talks", encoders={"audio": Encoder.of({**ears, "separator": music})})
    module.prepare_data()
    assert asked == [{"videos": "talks", "out": str(tmp_path), "features": {"audio": ears, "separator": music}}]


def test_a_public_list_becomes_a_table_first(tmp_path):
    calls = []
    manifest = Manifest((ManifestRow(Path("a.mp4"), 1.0, 2.0),), ("list.txt, line 3: nothing follows 'x'.",))
    module = ClipDataModule(tmp_path, videos=lambda: manifest, prepare=lambda *given: calls.append(given))
    with pytest.warns(UserWarning, match="1 listed videos cannot be used"):
        module.prepare_data()
    assert calls == [(str(tmp_path / "manifest.csv"), tmp_path)]
    assert "a.mp4,1,2" in (tmp_path / "manifest.csv").read_text()
    assert "line 3" in (tmp_path / "manifest.faults.txt").read_text()
    empty = ClipDataModule(tmp_path, videos=lambda: Manifest((), manifest.faults), prepare=lambda *given: None)
    with pytest.raises(UserError, match="line 3"):
        empty.prepare_data()
