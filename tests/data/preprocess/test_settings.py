from __future__ import annotations

from dataclasses import fields, replace

import pytest

from hallo_lit.cli.compose import compose, plain
from hallo_lit.data.preprocess.settings import Crop, Features, Filters, Settings, from_mapping
from hallo_lit.errors import UserError


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
