"""What a stranger may do to `hallo-lit animate`: stop it, resume it, give it nonsense, point it at its own input."""

from __future__ import annotations

import json
import os
import signal
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from hallo_lit.animation.parts import Parts
from hallo_lit.cli.main import main
from hallo_lit.media.image import save_png
from hallo_lit.media.video import VideoWriter, read_metadata

CALL = ["animate", "face.png", "speech.wav", "out.mp4", "sampler.steps=1", "guidance=none", "frames=4"]
CALL += ["size.height=32", "size.width=32"]


def write_wave(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is called: a face of 200 x 200 pixels and 0.4 s of sound, so three clips."""
    data = pytest.importorskip("skimage.data")
    save_png(tmp_path / "face.png", np.ascontiguousarray(data.astronaut()[20:220, 120:320]))
    write_wave(tmp_path / "speech.wav", 0.3 * np.sin(np.arange(6400) / 10))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


@pytest.fixture
def refused(place: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """refused(words, said): exit status 2, one line on the terminal that has `said` in it, and nothing written."""

    def check(words: list[str], said: str) -> None:
        before = contents(place)
        capfd.readouterr()
        assert main(words) == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert said in err
        assert err.count("\n") == 1, err
        assert contents(place) == before

    return check


def interrupt_after_two_clips(monkeypatch: pytest.MonkeyPatch, stop: Callable[[], None]) -> None:
    keep = Parts.keep

    def kept(self: Parts, clip: int, latents: Tensor) -> None:
        keep(self, clip, latents)
        if clip == 1:
            stop()

    monkeypatch.setattr(Parts, "keep", kept)


def ctrl_c() -> None:
    raise KeyboardInterrupt


def sigterm() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()


@pytest.mark.parametrize("stop", [ctrl_c, sigterm])
def test_a_resumed_video_is_the_uninterrupted_one(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stop: Callable[[], None]
) -> None:
    assert main([*CALL, "seed=3"]) == 0
    whole = (place / "out.mp4").read_bytes()
    (place / "out.mp4").unlink()
    with monkeypatch.context() as patch:
        interrupt_after_two_clips(patch, stop)
        assert main([*CALL, "seed=3"]) == 130
    assert "resume=true goes on" in capsys.readouterr().err
    parts = {"clip000000.safetensors", "clip000001.safetensors", "job.json"}
    assert {path.name for path in (place / "out.mp4.parts").iterdir()} == parts
    assert not (place / "out.mp4").exists()
    (place / "out.mp4.parts" / ".out.01234567.part").write_bytes(b"what a killed process leaves")
    assert main([*CALL, "seed=4", "resume=true"]) == 2
    assert main([*CALL, "seed=3", "resume=true", "frames_dir=frames"]) == 0
    assert (place / "out.mp4").read_bytes() == whole
    assert len(list((place / "frames").glob("*.png"))) == 10
    assert not [path for path in place.iterdir() if "part" in path.name]


def test_an_interruption_before_the_first_clip_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(place)
    monkeypatch.setattr(Parts, "finished", lambda self, clip: ctrl_c())
    assert main(CALL) == 130
    assert contents(place) == before
    assert not (place / "out.mp4.parts").exists()


def test_an_error_of_ours_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(place)
    monkeypatch.setattr(Parts, "finished", lambda self, clip: 1 / 0)
    assert main(CALL) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert contents(place) == before


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=99999999999999999999", "seed="),
        ("crop=circle", "crop=circle"),
        ("landmarks=dlib", "landmarks=dlib"),
        ("sampler.steps=1001", "sampler.steps=1001"),
        ("face_expand_ratio=0", "face_expand_ratio=0"),
        ("face_expand_ratio=nan", "face_expand_ratio=nan"),
        ("lip_weight=inf", "lip_weight=inf"),
        ("cfg_scale=nan", "cfg_scale=nan"),
        ("size.height=33", "size.height=33"),
        ("frames_dir=speech.wav/frames", "frames to speech.wav/frames"),
        ("face=1", "face.png has no face number 1"),
    ],
)
def test_settings_out_of_range(refused: Callable[..., None], word: str, said: str) -> None:
    refused([*CALL, word], said)


def test_files_that_cannot_be_used_are_one_sentence_alone(place: Path, refused: Callable[..., None]) -> None:
    save_png(place / "wall.png", np.full((96, 96, 3), 90, np.uint8))
    (place / "text.png").write_text("no picture")
    (place / "text.mp3").write_text("no sound" * 500)
    write_wave(place / "silence.wav", np.zeros(8000))
    for portrait in ("wall.png", "text.png"):
        refused(["animate", portrait, *CALL[2:]], portrait)
    for audio in ("text.mp3", "silence.wav"):
        refused(["animate", "face.png", audio, *CALL[3:]], audio)


def test_an_input_is_never_overwritten(place: Path, refused: Callable[..., None]) -> None:
    with VideoWriter(place / "talk.mp4", (32, 32), audio=place / "speech.wav") as writer:
        writer.write(np.zeros((32, 32, 3), np.uint8))
    refused(["animate", "face.png", "talk.mp4", "out=../" + place.name + "/talk.mp4"], "would be overwritten")


def test_an_empty_name_is_no_name(refused: Callable[..., None]) -> None:
    refused(["animate", "face.png", "speech.wav", "out="], "animate needs out=FILE")


def test_an_earlier_video_is_replaced_by_a_whole_one(place: Path) -> None:
    (place / "out.mp4").write_bytes(b"earlier")
    assert main([*CALL, "frames_dir="]) == 0
    about = read_metadata(place / "out.mp4")
    assert about["synthetic_media"] is True
    assert not {"portrait", "audio", "out", "resume", "frames_dir"} & set(about["config"])
    assert not list(place.glob("0*.png"))


def test_bad_rows_do_not_stop_good_ones(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"source_image": "face.png", "driving_audio": "speech.wav", "output": "good.mp4", "inference_steps": 1}
    rows = [{**good, "output": "bad.mp4", "seed": 2**70}, {**good, "output": "worse.mp4", "crop": "oval"}, good]
    (place / "jobs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert main(["animate", "manifest=jobs.jsonl", *CALL[4:]]) == 1
    out, err = capsys.readouterr()
    assert "1 of 3 videos made" in out
    assert "row 1: seed=" in err
    assert "row 2: crop=oval" in err
    assert "Traceback" not in err
    assert [path.name for path in place.glob("*.mp4*")] == ["good.mp4"]
