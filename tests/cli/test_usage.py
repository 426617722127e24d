from __future__ import annotations

import pytest

from hallo_lit.cli.compose import compose, conf_dir
from hallo_lit.cli.main import main
from hallo_lit.cli.usage import booleans, groups, options
from hallo_lit.cli.verbs import VERBS, Verb


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_has_every_key_with_its_comment_and_runs_nothing(verb: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb.name, "--help"]) == 0
    said = capsys.readouterr().out
    assert verb.summary in said
    assert all(example in said for example in verb.examples)
    found = options(conf_dir(), verb)
    assert found
    assert [row.key for row in found if not row.comment] == []
    assert all(row.comment in said for row in found)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_lists_the_keys_and_groups_that_exist(verb: Verb) -> None:
    cfg = compose(verb.name)
    assert {row.key for row in options(conf_dir(), verb)} <= set(cfg)
    for group, (chosen, choices) in groups(conf_dir(), verb).items():
        assert chosen in (*choices, "null"), group


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_what_the_verb_knows_of_its_keys_is_true(verb: Verb) -> None:
    cfg = compose(verb.name)
    keys = set(cfg)
    words = [word.rstrip("*") for word in (*verb.words, *(w for words in verb.actions.values() for w in words))]
    assert {*verb.paths, *words} <= keys
    assert not verb.actions or "action" in keys
    assert {ours.split(".")[0] for ours in verb.aliases.values()} <= keys
    assert booleans(conf_dir(), verb) == {key for key in keys if isinstance(cfg[key], bool)}
