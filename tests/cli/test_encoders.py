from __future__ import annotations

import pickle

import pytest
from omegaconf import OmegaConf

from hallo_lit.cli.compose import compose, conf_dir, plain
from hallo_lit.cli.encoders import choice
from hallo_lit.cli.explain import sentence
from hallo_lit.cli.verbs import by_name
from hallo_lit.data.spec import Encoder, OtherEncoderError

TRAIN = by_name()["train"]


TABLE = {  # of docs/data.md: model, words for the store, words for training
    "model=tiny": ("", "audio_encoder=log_mel"),
    "model=hallo": ("audio_encoder=wav2vec2_base face_encoder=arcface", ""),
    "model=tiny ": ("audio_encoder=viseme audio_encoder.weights=FILE", "audio_encoder.weights=FILE"),
}


@pytest.mark.parametrize("verb", ["preprocess", "synthesize"])
@pytest.mark.parametrize("model", TABLE)
def test_the_words_of_the_documentation_choose_the_same_encoders(verb, model):
    making, training = TABLE[model]
    text = (conf_dir().parent / "docs" / "data.md").read_text(encoding="utf-8")
    for words in (making, training):
        assert f"`{words}`" in text or not words
    made, trained = compose(verb, *making.split()), compose("train", model.strip(), *training.split())
    for group in ("audio_encoder", "face_encoder"):
        assert Encoder.of(plain(made[group])) == Encoder.of(plain(trained[group]))


def options(group: str) -> list[str]:
    return [path.stem for path in (conf_dir() / group).glob("*.yaml")]


@pytest.mark.parametrize("group", ["audio_encoder", "face_encoder"])
def test_every_option_is_known_again_by_what_it_holds(group):
    for option in options(group):
        config = plain(compose("preprocess", f"{group}={option}")[group])
        assert choice(group, Encoder.of(config)) == f"{group}={option}"
        assert choice(group, Encoder(*Encoder.of(config).pair)) == f"{group}={option}"  # as clips note it


def test_values_that_differ_from_the_option_are_named():
    config = plain(compose("preprocess", "audio_encoder=viseme", "audio_encoder.weights=my/viseme.safetensors"))
    words = choice("audio_encoder", Encoder.of(config["audio_encoder"]))
    assert words == "audio_encoder=viseme audio_encoder.weights=my/viseme.safetensors"
    assert choice("audio_encoder", Encoder("VisemeEncoder", "0" * 16)) == ""  # of an old store: only a hash is known


def test_a_group_of_the_users_own(tmp_path):
    (tmp_path / "audio_encoder").mkdir()
    config = {"_target_": "mine.Ears", "layers": 3}
    OmegaConf.save(config, tmp_path / "audio_encoder" / "ears.yaml")
    assert choice("audio_encoder", Encoder.of(config), str(tmp_path)) == "audio_encoder=ears"


def test_the_refusal_says_which_words_to_add():
    stored = Encoder.of(plain(compose("preprocess").audio_encoder))
    wanted = Encoder.of(plain(compose("train").audio_encoder))
    error = OtherEncoderError("3 of 3 clips in data/corpus", "audio", stored, wanted)
    said = sentence(error, TRAIN)
    assert "add `audio_encoder=log_mel` to this call" in said
    assert "with `audio_encoder=viseme`" in said
    assert "\n" not in said
    unknown = OtherEncoderError("3 of 3 clips in data/corpus", "audio", Encoder("Ears", "0" * 16), wanted)
    assert sentence(unknown, TRAIN) == str(unknown)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
