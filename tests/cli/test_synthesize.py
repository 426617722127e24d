from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.cli.compose import compose
from hallo_lit.cli.explain import check_types
from hallo_lit.cli.synthesize import config_of, run
from hallo_lit.cli.verbs import by_name
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.errors import UserError


def test_the_yaml_has_every_setting_and_the_same_defaults():
    config = config_of(compose("synthesize"))
    assert config == SynthesisConfig(out="data/corpus")
    assert set(SynthesisConfig.__dataclass_fields__) - {"size"} <= set(compose("synthesize"))


def test_a_store_gets_the_encoders():
    config = config_of(compose("synthesize", "store=true", "face_encoder.width=64"))
    assert config.audio_encoder is not None
    assert config.audio_encoder["_target_"].endswith("LogMel")
    assert config.face_encoder is not None
    assert config.face_encoder["width"] == 64


def test_a_store_may_go_without_an_encoder():
    config = config_of(compose("synthesize", "store=true", "~face_encoder"))
    assert config.face_encoder is None
    assert config.audio_encoder is not None


def test_a_corpus_from_the_command_line(tmp_path, capsys):
    run(compose("synthesize", f"out={tmp_path}/c", "clips=1", "seconds=0.4", "pixels=128", "processes=1"))
    assert "1 clips made" in capsys.readouterr().out
    assert len(list(Path(tmp_path).rglob("*.mp4"))) == 1
    with pytest.raises(UserError, match="size"):
        run(compose("synthesize", f"out={tmp_path}/c", "pixels=100"))


def test_an_empty_folder_name_is_one_sentence():
    with pytest.raises(UserError, match="out= is empty"):
        run(compose("synthesize", "out=null"))


def test_a_wrong_size_is_named_as_it_may_have_been_spelt():
    with pytest.raises(UserError, match=r"pixels must be a whole number, not 'abc'\. \(size=\.\.\. sets pixels\.\)"):
        check_types(by_name()["synthesize"], compose("synthesize", "pixels=abc"), ["pixels=abc"])
