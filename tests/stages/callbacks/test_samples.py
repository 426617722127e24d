from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hallo_lit.animation.handover import LatentHandover, PixelHandover
from hallo_lit.factory import build
from hallo_lit.media.image import read_image
from hallo_lit.media.video import probe, read_clip, read_metadata
from hallo_lit.stages.running import train
from stages.small import config, make_store

ON = (
    *("callbacks=default", "sampler.steps=2", "sample_every=2", "callbacks.samples.count=1", "logger=tensorboard"),
    "callbacks.samples.metrics=null",
)


def test_videos_stand_beside_the_truth(store: Path) -> None:
    settings = config(store, *ON, "name=seen", "steps=3")
    train(settings)
    folder = Path(settings["run_dir"]) / "samples"
    assert {path.name for path in folder.iterdir()} == {
        "step0000002_masks.png",
        *(f"step{step:07d}_0.{ending}" for step in (2, 3) for ending in ("mp4", "png")),
    }
    video = folder / "step0000003_0.mp4"
    assert (probe(video).width, probe(video).height, probe(video).frames) == (34, 16, 6)
    assert read_metadata(video)["clip"] == "p0/clip.mp4"
    assert len(read_clip(video, 0, 6)) == 6
    strip = read_image(folder / "step0000003_0.png").astype(int)
    assert np.abs(strip[:16] - strip[18:]).mean() > 1  # a network of three steps is not the truth


def test_what_was_made_before_training_stands_between(store: Path) -> None:
    settings = config(store, *ON, "name=before", "steps=2", "sample_first=true")
    train(settings)
    folder = Path(settings["run_dir"]) / "samples"
    first, last = (read_image(folder / f"step{step:07d}_0.png") for step in (0, 2))
    assert last.shape[0] == 3 * 18 - 2
    assert np.array_equal(last[:34], first)  # truth and before
    assert not np.array_equal(last[18:34], last[36:])


@pytest.mark.parametrize(("handover", "kind"), [("latents", LatentHandover), ("pixels", PixelHandover)])
def test_clips_are_handed_over_as_the_run_says(store: Path, handover: str, kind: type) -> None:
    made: Any = build(config(store, *ON, f"handover={handover}")["callbacks"]["samples"])
    assert type(made.handover()) is kind


def test_stage_one_shows_pictures(store: Path) -> None:
    settings = config(store, *ON, "stage=appearance", "name=looked_at", "steps=2")
    train(settings)
    picture = read_image(Path(settings["run_dir"]) / "samples/step0000002_samples.png")
    assert picture.shape == (3 * 18 - 2, 4 * 18 - 2, 3)  # portrait, truth, made; four clips


def test_the_codec_shows_reconstructions(store: Path) -> None:
    settings = config(store, *ON, "stage=codec", "name=coded", "steps=2")
    train(settings)
    picture = read_image(Path(settings["run_dir"]) / "samples/step0000002_codec.png").astype(int)
    assert np.abs(picture[:16] - picture[18:]).mean() < 16  # its linear part was fitted to them


def test_cached_latents_are_decoded_for_the_eye(tmp_path: Path) -> None:
    cached = make_store(tmp_path / "clips", latents=True)
    settings = config(cached, *ON, "name=decoded", "steps=2")
    train(settings)
    assert (Path(settings["run_dir"]) / "samples/step0000002_0.mp4").is_file()
