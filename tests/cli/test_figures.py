"""`hallo-lit evaluate figures=[...]` as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.small_model import SAMPLES, SMALL
from hallo_lit.cli.main import main
from hallo_lit.evaluation.figures.base import read_description

SCENE = (f"scene.portrait={SAMPLES / 'portrait.png'}", f"scene.audio={SAMPLES / 'speech.wav'}", "scene.seconds=0.08")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_figures_are_drawn_from_a_portrait_and_a_recording(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["figures=[weights,attention]", "figure.weights.values=[0,1]", "figures_dir=my pictures", *SCENE]
    assert main(["evaluate", *SMALL, *words]) == 0
    assert capsys.readouterr().out.split("\n")[:2] == ["my pictures/weights.png", "my pictures/attention.png"]
    about = read_description(here / "my pictures" / "weights.png")
    assert about["command"].startswith("hallo-lit evaluate model=tiny weights=null")
    assert set(about["numbers"]["change_inside"]) == {f"{r} {v}" for r in ("lip", "face", "pose") for v in (0, 1)}
    assert [path.name for path in here.iterdir()] == ["my pictures"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["figures=[wieghts]"], "There is no figure 'wieghts'; did you mean weights?"),
        (["figures=[identity]", *SCENE], "figure.identity.before=BUNDLE"),
        (["figures=[identity]", "figure.identity.before=nobody", *SCENE], "There is no bundle folder nobody"),
        (["figures=[attention]", "figure.attention.full=nobody", *SCENE], "There is no bundle folder nobody"),
        (["figures=[weights]", "figure.weights.values=[]", *SCENE], "must be a list of numbers"),
        (["figures=[weights]", "figure.weights.seeds=3", *SCENE], "seeds"),
        (["figures=[lips]", "scene.portrait=face.png", "scene.audio=speech.wav"], "face.png does not exist"),
        (["figures=[lips]", SCENE[0]], "scene.portrait needs scene.audio=FILE beside it"),
        (["figures=[lips]", *SCENE, "scene.seconds=0"], "must be more than 0"),
        (["figures=[lips]"], "is no corpus"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["evaluate", *SMALL, *words]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert (out, err.count("\n")) == ("", 1)
    assert list(here.iterdir()) == []
