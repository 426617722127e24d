from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hallo_lit.animation.animator import Animator
from hallo_lit.animation.options import Options
from hallo_lit.evaluation.cases import Case, video_cases
from hallo_lit.evaluation.generation import generate, key_of
from hallo_lit.media.video import probe, read_frames, read_metadata


@pytest.fixture
def cases(talks: Path, tmp_path: Path) -> list[Case]:
    return video_cases(talks, tmp_path / "cache")


def test_what_is_there_is_not_made_again(little: Animator, cases: list[Case], tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    first = generate(little, cases, tmp_path / "out", progress=lambda *step: seen.append(step))
    assert (first.made, first.reused, dict(first.faults)) == (2, 0, {})
    assert {path.name for path in first.folder.iterdir()} == {"one.mp4", "two.mp4", "settings.json"}
    assert first.folder.name == key_of(little, cases)
    assert ("videos", 2, 2) in seen
    info = probe(first.folder / "one.mp4")
    assert (info.frames, info.width, info.has_audio) == (6, 128, True)
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    again = generate(little, cases, tmp_path / "out")
    assert (again.made, again.reused, again.folder) == (0, 2, first.folder)
    assert before == {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}


def test_other_settings_have_a_folder_of_their_own(little: Animator, cases: list[Case]) -> None:
    weaker = replace(little.recipe, region_scale=(1.0, 1.0, 0.5))
    other = replace(little, weights="of another model")
    keys = [key_of(little, cases, Options(seed=1)), key_of(little, cases, Options(recipe=weaker)), key_of(other, cases)]
    assert len({key_of(little, cases), *keys}) == 4
    assert key_of(little, cases[1:]) == key_of(little, cases)


def test_a_replaced_recording_is_animated_again(little: Animator, cases: list[Case], tmp_path: Path) -> None:
    generate(little, cases, tmp_path / "out")
    swapped = [cases[0], replace(cases[1], audio=cases[0].audio)]
    again = generate(little, swapped, tmp_path / "out")
    assert (again.made, again.reused) == (1, 1)
    assert read_metadata(again.folder / "two.mp4")["audio"]["name"] == "one.mp4"


def test_an_interrupted_call_goes_on_where_it_was(little: Animator, cases: list[Case], tmp_path: Path) -> None:
    def stop(phase: str, done: int, total: int) -> None:
        if (phase, done) == ("decode", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(little, cases, tmp_path / "out", progress=stop)
    place = tmp_path / "out" / key_of(little, cases)
    assert not list(place.glob("*.mp4"))
    assert (place / "one.mp4.parts" / "clip000000.safetensors").is_file()
    steps: list[int] = []
    generate(little, cases[:1], tmp_path / "out", progress=lambda p, d, t: steps.append(d) if p == "denoise" else None)
    assert steps == [2]  # the first clip is read, the second sampled
    assert {path.name for path in place.iterdir()} == {"one.mp4", "settings.json"}
    whole = generate(little, cases[:1], tmp_path / "whole")
    videos = [np.stack(list(read_frames(folder / "one.mp4"))) for folder in (place, whole.folder)]
    assert np.array_equal(*videos)


def test_what_cannot_be_animated_stops_nobody_else(little: Animator, cases: list[Case], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((128, 128, 3), 90, np.uint8))
    found = generate(little, [replace(cases[0], portrait=tmp_path / "wall.png"), cases[1]], tmp_path / "out")
    assert (found.made, list(found.faults)) == (1, ["one"])
    assert "wall.png" in found.faults["one"]
    assert not list(found.folder.glob("one*"))


def test_frames_that_are_not_finite_are_a_fault(little: Animator, cases: list[Case], tmp_path: Path) -> None:
    weight = next(little.hallo.codec.parameters())
    kept = weight.clone()
    with torch.no_grad():
        weight.fill_(float("nan"))
        try:
            found = generate(little, cases[:1], tmp_path / "out")
        finally:
            weight.copy_(kept)
    assert found.made == 0
    assert "not finite" in found.faults["one"]


def test_processes_share_the_work(little: Animator, cases: list[Case], tmp_path: Path) -> None:
    found = generate(little, cases, tmp_path / "out", share=slice(1, None, 2))
    assert [path.name for path in found.folder.glob("*.mp4")] == ["two.mp4"]
