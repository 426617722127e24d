from __future__ import annotations

from dataclasses import fields, replace

import pytest

from hallo_lit.cli.compose import compose, plain
from hallo_lit.data.preprocess.settings import (
    PRESETS,
    WORST,
    Crop,
    Features,
    Filters,
    Settings,
    check,
    from_mapping,
)
from hallo_lit.errors import UserError
from hallo_lit.media import video_writer


def test_nested_values_arrive_with_their_types():
    settings = from_mapping(Settings, {"filters": {"max_yaw": 30, "lip_audio": False}, "crop": {"size": 256}})
    assert settings == Settings(filters=Filters(max_yaw=30.0, lip_audio=False), crop=Crop(size=256))
    assert isinstance(settings.filters.max_yaw, float)


def test_the_defaults_are_those_of_the_command_line():
    config = plain(compose("preprocess"))
    given = {field.name: config[field.name] for field in fields(Settings)}
    assert from_mapping(Settings, given) == Settings()
    assert from_mapping(Settings, given).key() == Settings().key()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"filters": {"max_jaw": 3}}, ("filters", "max_jaw", "max_yaw")),
        ({"filter": {}}, ("filter", "filters")),
        ({"crop": {"size": "big"}}, ("crop.size", "int", "big")),
        ({"crop": {"size": 2.5}}, ("crop.size",)),
        ({"filters": {"lip_audio": 1}}, ("lip_audio", "bool")),
        ({"filters": {"min_face": True}}, ("min_face", "float")),
    ],
)
def test_wrong_settings_are_named(given, words):
    with pytest.raises(UserError) as error:
        from_mapping(Settings, given)
    assert all(word in str(error.value) for word in words)


def test_keys_change_with_what_they_stand_for():
    plain = Settings()
    other_filter = replace(plain, filters=Filters(max_yaw=10))
    other_crop = replace(plain, crop=Crop(size=128))
    other_audio = replace(plain, features=Features(audio={"_target_": "x"}))
    elsewhere = replace(plain, features=Features(device="cuda", chunk=32))
    assert len({s.key() for s in (plain, other_filter, other_crop, other_audio)}) == 4
    assert elsewhere.key() == plain.key()
    assert {s.crop_key() for s in (plain, other_filter, other_audio)} == {plain.crop_key()}
    assert other_crop.crop_key() != plain.crop_key()
    assert other_crop.analysis_key() == plain.analysis_key()


@pytest.mark.parametrize(
    "given",
    [
        {"crop": {"preset": "fasst"}},
        {"crop": {"quality": 99}},
        {"crop": {"quality": -1}},
        {"crop": {"quality": float("nan")}},
        {"crop": {"face_share": 0}},
        {"crop": {"keyframe_seconds": -1}},
        {"crop": {"size": 129}},
        {"tracking": {"backend": "face_landmarker"}},
        {"tracking": {"task_file": "/nowhere/face_landmarker.task"}},
        {"tracking": {"max_gap": -1}},
        {"tracking": {"max_faces": 0}},
        {"features": {"face_ratio": 0}},
    ],
)
def test_values_that_would_fail_in_every_worker_are_refused(given):
    ((section, ((name, value),)),) = ((section, values.items()) for section, values in given.items())
    with pytest.raises(UserError) as error:
        check(from_mapping(Settings, given))
    name = "task_file" if value == "face_landmarker" else name
    assert f"{section}.{name}" in str(error.value)
    assert "\n" not in str(error.value)


def test_good_values_pass(tmp_path):
    task = tmp_path / "face_landmarker.task"
    task.touch()
    check(Settings())
    landmarker = {"backend": "face_landmarker", "task_file": str(task), "max_gap": 0, "max_faces": 1}
    check(from_mapping(Settings, {"tracking": landmarker, "crop": {"quality": 0, "keyframe_seconds": 0.04}}))


def test_presets_and_quality_are_those_of_the_writer():
    assert video_writer.PRESETS == PRESETS
    video_writer.Encoding(crf=WORST)
    with pytest.raises(UserError):
        video_writer.Encoding(crf=WORST + 1)
