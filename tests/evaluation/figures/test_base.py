"""A figure says where it comes from, in its picture and in its metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.base import Figure, Painting, check_values, read_description, short
from hallo_lit.evaluation.figures.scene import Scene


class Plain(Figure):
    name = "plain"

    def paint(self, scene: Scene) -> Painting:
        return Painting(np.full((40, 600, 3), 200, np.uint8), "Nothing but grey.", {"grey": 200})


def test_the_file_tells_weights_seed_command_and_numbers(scene: Scene, tmp_path: Path) -> None:
    path = Plain().draw(scene, tmp_path / "new folder")
    assert path == tmp_path / "new folder" / "plain.png"
    about = read_description(path)
    assert about["weights"] == scene.animator.weights
    assert (about["seed"], about["command"], about["numbers"]) == (3, "a test", {"grey": 200})
    assert (about["portrait"], about["audio"], about["real"]) == ("portrait.png", "speech.wav", "talk.mp4")
    assert "a test" in about["origin"]
    assert "dpm" in about["sampler"] or "ddim" in about["sampler"]


def test_the_caption_stands_below_the_picture(scene: Scene, tmp_path: Path) -> None:
    with Image.open(Plain().draw(scene, tmp_path)) as image:
        pixels = np.asarray(image)
        assert "Nothing but grey." in image.info["Description"]
    assert (pixels[:40, :600] == 200).all()
    below = pixels[40:]
    assert (below < 100).any()
    assert (below[:, [0, -1]] == 255).all()


def test_other_pictures_are_none_of_ours(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "other.png")
    (tmp_path / "text.png").write_text("no picture")
    for name in ("other.png", "text.png", "missing.png"):
        with pytest.raises(UserError, match=name):
            read_description(tmp_path / name)


def test_hashes_are_shown_by_their_beginning() -> None:
    assert short("0123456789abcdef") == "0123456789ab"
    assert short("random (seed 7) 0123456789abcdef") == "random (seed 7) 0123456789ab"
    assert short("") == "unknown"


@pytest.mark.parametrize("values", [[], [1, float("nan")], [float("inf")], [1e9]])
def test_values_are_ordinary_numbers(values: list[float]) -> None:
    with pytest.raises(UserError, match="audio="):
        check_values("audio", values)
