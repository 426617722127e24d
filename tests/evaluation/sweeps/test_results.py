"""Finished rows on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.evaluation.sweeps.results import finished, hash_of, place_of, results_in, slug

from .made import result


def test_a_row_is_found_again_with_the_same_settings_alone(tmp_path: Path) -> None:
    made = result(["fusion=gated"], psnr=30.0)
    made.save(tmp_path)
    assert finished(tmp_path, ["fusion=gated"], "settings") == made
    assert finished(tmp_path, ["fusion=gated"], "other") is None
    assert finished(tmp_path, ["fusion=else"], "settings") is None


def test_rows_of_an_older_call_are_left_out(tmp_path: Path) -> None:
    import os

    result(["a=1"], common="old", psnr=1.0).save(tmp_path)
    os.utime(place_of(tmp_path, ["a=1"]), (1, 1))
    result(["a=2"], psnr=2.0).save(tmp_path)
    found, stale = results_in(tmp_path)
    assert [one.words for one in found] == [["a=2"]]
    assert stale == 1


def test_damage_and_emptiness_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished row"):
        results_in(tmp_path)
    place = place_of(tmp_path, ["a=1"])
    place.parent.mkdir()
    place.write_text("{")
    with pytest.raises(UserError, match="delete it"):
        results_in(tmp_path)


def test_names_of_files_are_plain() -> None:
    assert slug(["seed=0", "fusion.branches=[full,lip]"]) == "seed=0,fusion.branches=full+lip"
    assert slug(["x='../a b'"]) == "x=..ab"
    assert slug([]) == "base"
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1}) != hash_of({"a": 1})
