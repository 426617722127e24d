from __future__ import annotations

import shutil

from hallo_lit.data.datamodule import ClipDataModule
from hallo_lit.data.dataset import SampleSpec
from hallo_lit.data.preprocess import run
from hallo_lit.data.preprocess.engines.processes import Processes
from hallo_lit.data.spec import Encoder
from hallo_lit.data.store import check_store

EARS = {"_target_": "hallo_lit.components.audio_encoder.mel.LogMel", "layers": 2, "width": 16}
FACE = {"_target_": "hallo_lit.components.face_encoder.conv.ConvFaceEncoder", "width": 32, "channels": [8, 16]}


def test_a_folder_of_videos_is_trained_on_with_the_encoders_that_are_configured(
    tmp_path, face_clip, monkeypatch, capsys
):
    (tmp_path / "talks").mkdir()
    shutil.copy(face_clip, tmp_path / "talks" / "anna 1.mp4")
    (tmp_path / "talks" / "broken.mp4").write_bytes(b"no video")
    monkeypatch.setattr(run, "Processes", lambda: Processes(workers=0))

    def module(ears: dict) -> ClipDataModule:
        encoders = {"audio": Encoder.of(ears), "identity": Encoder.of(FACE)}
        return ClipDataModule(
            tmp_path / "store", SampleSpec(source="video", size=(32, 32)), 1, 0, 0.0, videos=str(tmp_path / "talks"),
            encoders=encoders,
        )  # fmt: skip

    for ears in (EARS, {**EARS, "layers": 1}):
        data = module(ears)
        data.prepare_data()
        data.setup("fit")
        batch = next(iter(data.train_dataloader()))
        assert batch.frames.shape == (1, 14, 3, 32, 32)
        assert batch.inputs.audio.shape == (1, 14, 5, ears["layers"], 16)
        assert batch.inputs.identity.shape == (1, 32)
        said = capsys.readouterr().err
        assert "unreadable" in said
        assert "report.jsonl" in said
    assert check_store(tmp_path / "store").ok
    data.prepare_data()
    assert "report.jsonl" not in capsys.readouterr().err
