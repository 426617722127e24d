import json

import pytest

from hallo_lit.data.spec import Encoder, StoreSpec, config_hash
from hallo_lit.errors import UserError

A, B = Encoder("LogMel", "a" * 16), Encoder("Wav2Vec2", "b" * 16)


def test_hash_sees_values_and_not_the_order_of_keys():
    config = {"_target_": "x.LogMel", "bands": 80, "inner": {"a": 1, "b": 2}}
    same = {"inner": {"b": 2, "a": 1}, "bands": 80, "_target_": "x.LogMel"}
    assert config_hash(config) == config_hash(same)
    assert config_hash(config) != config_hash({**config, "bands": 81})
    assert Encoder.of(config) == Encoder("LogMel", config_hash(config))
    assert Encoder.of({**config, "device": "cuda"}) == Encoder.of(config)
    assert Encoder.of({"_target_": "x.wav2vec.Wav2Vec2.from_folder"}).name == "Wav2Vec2"
    assert Encoder.of({"_target_": "x.union_masks"}).name == "union_masks"


def test_missing_names_absent_and_stale_features_and_no_others():
    spec = StoreSpec(("audio", "regions"), {"audio": A, "latents": A})
    assert spec.missing(frozenset(), {}) == {"audio", "regions"}
    assert spec.missing(frozenset({"audio", "regions"}), {"audio": A}) == set()
    assert spec.missing(frozenset({"audio", "regions", "identity"}), {"audio": B, "identity": B}) == {"audio"}
    assert spec.missing(frozenset({"audio", "regions", "latents"}), {"audio": A}) == {"latents"}


def test_round_trip(tmp_path):
    spec = StoreSpec(("audio",), {"audio": A})
    spec.save(tmp_path)
    assert StoreSpec.load(tmp_path) == spec


def test_unknown_features_are_refused():
    with pytest.raises(UserError, match="sound"):
        StoreSpec(("sound",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "not a clip store"),
        ("", "does not describe"),
        ("[]", "does not describe"),
        ('{"format": "other", "version": 1}', "does not describe"),
        ('{"format": "hallo_lit clip store", "version": 1, "features": [], "encoders": 3}', "does not describe"),
    ],
)
def test_what_is_no_store_is_one_sentence(tmp_path, text, words):
    if text is not None:
        (tmp_path / "store.json").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        StoreSpec.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_newer_formats_are_refused(tmp_path):
    StoreSpec().save(tmp_path)
    record = json.loads((tmp_path / "store.json").read_text())
    (tmp_path / "store.json").write_text(json.dumps({**record, "version": 99}))
    with pytest.raises(UserError, match="newer version"):
        StoreSpec.load(tmp_path)


def test_weights_count_by_what_they_hold(tmp_path):
    first, copy, other = (tmp_path / name for name in ("a.safetensors", "b.safetensors", "c.safetensors"))
    first.write_bytes(b"one")
    copy.write_bytes(b"one")
    other.write_bytes(b"two")
    made = [Encoder.of({"_target_": "some.Ear", "weights": str(path)}) for path in (first, copy, other)]
    assert made[0] == made[1] != made[2]
    first.write_bytes(b"another one")  # trained anew: features of before are stale
    assert Encoder.of({"_target_": "some.Ear", "weights": str(first)}) != made[0]
    hub = {"_target_": "some.Ear", "weights": "somebody/ear"}
    assert Encoder.of(hub) == Encoder("Ear", config_hash(hub))


def test_no_weights_are_as_no_word_of_them():
    assert Encoder.of({"_target_": "a.Net", "weights": None}) == Encoder.of({"_target_": "a.Net"})
    assert Encoder.of({"_target_": "a.Net", "weights": "hub/id"}) != Encoder.of({"_target_": "a.Net"})
