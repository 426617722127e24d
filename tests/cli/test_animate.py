from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from hallo_lit.animation.jobs import Job
from hallo_lit.cli.animate import PER_JOB, jobs_of, with_options
from hallo_lit.cli.compose import compose
from hallo_lit.cli.main import main
from hallo_lit.errors import UserError
from hallo_lit.media.image import save_png
from hallo_lit.media.video import probe

QUICK = ["weights=null", "sampler.steps=1", "guidance=none", "size.height=32", "size.width=32", "frames=4"]


def test_one_video_is_one_job() -> None:
    cfg = compose("animate", "portrait=p.png", "audio=a.wav", "out=o.mp4")
    assert jobs_of(cfg) == [Job(0, Path("p.png"), Path("a.wav"), Path("o.mp4"))]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UserError, match=r"^animate needs audio=FILE, out=FILE\.$"):
        jobs_of(compose("animate", "portrait=p.png"))


def test_a_manifest_excludes_single_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="exclude each other"):
        jobs_of(compose("animate", "manifest=jobs.csv", "out=o.mp4"))


def test_a_row_changes_its_own_settings_only(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("portrait,audio,out,steps,cfg_scale\np,a,1.mp4,3,2\np,a,2.mp4,,\n")
    cfg = compose("animate", f"manifest={path}", "seed=9")
    first, second = jobs_of(cfg)
    assert isinstance(first, Job)
    assert isinstance(second, Job)
    own = with_options(cfg, first)
    assert (own.sampler.steps, own.guidance.scale, own.seed) == (3, 2.0, 9)
    other = with_options(cfg, second)
    assert (other.sampler.steps, other.guidance.scale) == (cfg.sampler.steps, cfg.guidance.scale) == (40, 3.5)


def test_every_setting_of_a_row_exists() -> None:
    cfg = compose("animate")
    for name in PER_JOB:
        assert with_options(cfg, Job(1, Path(), Path(), Path(), {name: 1})) is not None
    assert {name.split(".")[0] for name in PER_JOB} <= set(cfg)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with a photo and a fifth of a second of sound, under odd names, from where the command is called."""
    data = pytest.importorskip("skimage.data")
    save_png(tmp_path / "My photo (1), ünï.png", data.astronaut())
    with wave.open(str(tmp_path / "John's [take=2].wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        tone = np.sin(np.arange(3200) / 10) * 9000
        file.writeframes(tone.astype("<i2").tobytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_photo_and_a_recording_become_a_video(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(folder.iterdir())
    words = ["--source_image", "My photo (1), ünï.png", "--driving_audio=John's [take=2].wav", "--output", "a,b.mp4"]
    assert main(["animate", *words, "--seed", "7", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("a,b.mp4  ")
    assert all(f"{phase} " in out for phase in ("load", "portrait", "audio", "denoise", "decode", "write"))
    assert "the model is random" in err
    assert set(folder.iterdir()) - before == {folder / "a,b.mp4"}
    info = probe(folder / "a,b.mp4")
    assert (info.frames, info.fps, info.width, info.height, info.has_audio) == (5, 25, 512, 512, True)
    assert main(["animate", "--describe", "a,b.mp4"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["synthetic_media"] is True
    assert about["seed"] == 7
    assert about["sampler"] == "ddim, 1 steps"


def test_a_manifest_makes_what_can_be_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"portrait": "My photo (1), ünï.png", "audio": "John's [take=2].wav", "out": "one.mp4", "steps": 2, "seed": 3},
        {"portrait": "nobody.png", "audio": "John's [take=2].wav", "out": "two.mp4"},
        {"portrait": "My photo (1), ünï.png", "audio": "John's [take=2].wav", "out": "three.mp4"},
    ]
    (folder / "jobs.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert main(["animate", "manifest=jobs.jsonl", *QUICK]) == 1
    out, err = capsys.readouterr()
    assert "2 of 3 videos made" in out
    assert "jobs.jsonl row 2: " in err
    assert "nobody.png" in err
    assert {path.name for path in folder.glob("*.mp4")} == {"one.mp4", "three.mp4"}
    assert main(["animate", "--describe", "one.mp4"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["sampler"], about["seed"]) == ("ddim, 2 steps", 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["portrait=nobody.png", "audio=John's [take=2].wav", "out=o.mp4"], "nobody.png"),
        (["portrait=My photo (1), ünï.png", "audio=silence.wav", "out=o.mp4"], "silence.wav"),
        (["portrait=My photo (1), ünï.png", "audio=John's [take=2].wav", "out=nowhere/o.mp4"], "nowhere"),
        (["--describe", "My photo (1), ünï.png"], "My photo (1), ünï.png"),
        (["weights=no bundle", "My photo (1), ünï.png", "audio=John's [take=2].wav", "out=o.mp4"], "no bundle"),
        (["manifest=jobs.txt"], "jobs.txt"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    before = set(folder.iterdir())
    assert main(["animate", *QUICK, *words]) == 2
    out, err = capsys.readouterr()
    assert said in err.splitlines()[-1]
    assert "Traceback" not in err
    assert out == ""
    assert set(folder.iterdir()) == before
