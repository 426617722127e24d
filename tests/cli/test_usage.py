from __future__ import annotations

import pytest
from omegaconf import DictConfig, OmegaConf

from hallo_lit.cli.compose import compose, conf_dir
from hallo_lit.cli.main import main
from hallo_lit.cli.usage import booleans, groups, options
from hallo_lit.cli.verbs import VERBS, Verb


def exists(cfg: DictConfig, key: str) -> bool:
    section, _, name = key.rpartition(".")
    return name in (OmegaConf.select(cfg, section) if section else cfg)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_has_every_key_with_its_comment_and_runs_nothing(verb: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb.name, "--help"]) == 0
    said = capsys.readouterr().out
    assert verb.summary in said
    assert all(example in said for example in verb.examples)
    found = options(conf_dir(), verb)
    assert found
    assert all(f"  {row.key} " in said and row.comment in said for row in found)
    assert [row.key for row in found if not row.comment] == [] or verb.name in ("preprocess", "synthesize")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_lists_the_keys_and_groups_that_exist(verb: Verb) -> None:
    cfg = compose(verb.name)
    assert all(exists(cfg, row.key) for row in options(conf_dir(), verb))
    for group, (chosen, choices) in groups(conf_dir(), verb).items():
        assert chosen in (*choices, "null"), group


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_what_the_verb_knows_of_its_keys_is_true(verb: Verb) -> None:
    cfg = compose(verb.name)
    keys = set(cfg)
    words = [word.rstrip("*") for word in (*verb.words, *(w for words in verb.actions.values() for w in words))]
    assert all(exists(cfg, key) for key in (*verb.paths, *words))
    assert not verb.actions or "action" in keys
    assert {ours.split(".")[0] for ours in verb.aliases.values()} <= keys
    assert {key for key in booleans(conf_dir(), verb) if "." not in key} == {
        k for k in keys if isinstance(cfg[k], bool)
    }
