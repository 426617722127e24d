from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage import data

from hallo_lit.cli.compose import build_model, compose, plain
from hallo_lit.cli.main import main
from hallo_lit.data.store import ClipStore
from hallo_lit.weights.bundle import save_bundle

QUICK = ["crop.size=64", "engine.workers=0", "face_encoder.size=32", "face_encoder.channels=[8,16]"]


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    """A second of the astronaut's face, with a hum, under a name that Hydra's grammar would not take unquoted."""
    path = tmp_path_factory.mktemp("videos") / "it's a, clip (1)=x.mp4"
    face = cv2.resize(data.astronaut()[0:240, 80:400], None, fx=1.2, fy=1.2)
    with av.open(str(path), "w") as output:
        pictures = output.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        pictures.height, pictures.width, pictures.pix_fmt = 288, 384, "yuv420p"
        sound = output.add_stream("aac", rate=16000, layout="mono")
        for _ in range(25):
            output.mux(pictures.encode(av.VideoFrame.from_ndarray(face, format="rgb24")))
        output.mux(pictures.encode(None))
        hum = np.sin(np.arange(16000) / 20, dtype=np.float32)[None] * 0.3
        frame = av.AudioFrame.from_ndarray(hum, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return path


def test_a_video_becomes_a_store_that_is_whole(video, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["preprocess", str(video), "my store", *QUICK]) == 0
    said = capsys.readouterr().out
    assert "undecided" in said
    assert "1.0 s in the store" in said
    assert main(["preprocess", "check", "my store"]) == 0
    assert "the store is whole" in capsys.readouterr().out
    assert len(ClipStore("my store")) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"my store"}
    (ClipStore("my store")[0].video).write_bytes(b"x")
    assert main(["preprocess", "check", "my store"]) == 1


def test_latents_come_from_the_codec_of_a_bundle(video, tmp_path):
    cfg = compose("animate", "model=tiny", "size=tiny", "audio_encoder=log_mel", "face_encoder=conv")
    bundle = save_bundle(tmp_path / "bundle", build_model(cfg), {"model": plain(cfg)["model"]})
    words = ["preprocess", f"videos={video}", f"out={tmp_path / 'store'}", *QUICK, "latents=true"]
    assert main([*words, f"weights={bundle}"]) == 0
    clip = ClipStore(tmp_path / "store")[0]
    assert clip.read("latents_mean").shape == (25, cfg.size.codec.latent_channels, 16, 16)
    moved = bundle.rename(tmp_path / "elsewhere")
    changed = clip.path.stat().st_mtime_ns
    assert main([*words, f"weights={moved}"]) == 0
    assert clip.path.stat().st_mtime_ns == changed, "the same codec in another place made the latents anew"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["videos=nowhere", "out=x"], "nowhere"),
        (["out=x"], "videos"),
        (["videos=v.mp4"], "out"),
        (["check"], "Which store"),
        (["check", "nothing"], "not a clip store"),
        (["videos=.", "out=x", "latents=true"], "weights=BUNDLE"),
        (["videos=.", "out=x", "filters.max_jaw=3"], "max_yaw"),
        (["videos=.", "out=x", "engine=cloud"], "processes"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["preprocess", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
