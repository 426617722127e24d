"""Turns what people type into what Hydra's grammar accepts: names of options, bare words and file names."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hallo_lit.cli.verbs import Verb
from hallo_lit.errors import UserError

_ASSIGNMENT = re.compile(r"(?P<sign>\+{0,2})(?P<key>[A-Za-z_][\w./:@-]*)=(?P<value>.*)", re.DOTALL)
_DELETION = re.compile(r"~[A-Za-z_][\w./:@]*(=.*)?")
_SHOWN = ("job", "hydra", "all")
_SWITCHES = frozenset({"--hydra-help", "--resolve", "-r", "--run", "-m", "--multirun", "-sc", "--shell-completion"})
_FLAGS = frozenset(
    {"-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name", "-cd", "--config-dir"}
    | {"-i", "--info"}
)


@dataclass(frozen=True)
class Call:
    """One command line for Hydra: its own flags, then overrides."""

    flags: tuple[str, ...]
    overrides: tuple[str, ...]

    @property
    def folder(self) -> str | None:
        """The user's own groups: what follows `-cd`."""
        pairs = zip(self.flags, self.flags[1:], strict=False)
        return next((value for flag, value in pairs if flag in ("-cd", "--config-dir")), None)


def translate(verb: Verb, words: Sequence[str], booleans: Collection[str] = ()) -> Call:
    """`--name value`, `--name=value`, bare words and file names become overrides; `booleans` may stand without a value.

    Raises:
        UserError: a flag lacks its value, or a bare word has no meaning here.
    """
    flags: list[str] = []
    overrides: list[str] = []
    bare: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in _SWITCHES:
            flags.append(word)
        elif name in _FLAGS:
            value = value if equals else _value(name, rest)
            if name in ("-c", "--cfg") and value not in _SHOWN:
                raise UserError(f"{name} {value}: choose one of {', '.join(_SHOWN)}.")
            flags += [name, value]
        elif word.startswith("--") and len(name) > 2:
            key = name[2:].replace("-", "_")
            if not equals:
                value = "true" if key in booleans and not _is_boolean(rest) else _value(name, rest)
            overrides.append(override(verb, "", key, value))
        elif matched := _ASSIGNMENT.fullmatch(word):
            overrides.append(override(verb, *matched.group("sign", "key", "value")))
        elif _DELETION.fullmatch(word):
            overrides.append(word)
        elif word.startswith("-") and len(word) > 1 and not os.path.lexists(word):
            raise UserError(f"{verb.name} has no option {word}; `hallo-lit {verb.name} --help` lists them.")
        else:
            bare.append(word)
    given = {name.lstrip("+").partition("=")[0] for name in overrides}
    return Call(tuple(flags), (*_place(verb, bare, given), *overrides))


def override(verb: Verb, sign: str, key: str, value: str) -> str:
    """One override under its own name, quoted when its value is a file name."""
    key = verb.aliases.get(key, key)
    if key.partition(".")[0] in verb.mappings:
        return f"++{key}={literal(value) if '.' in key else value}"
    return f"{sign}{key}={literal(value) if key in verb.paths else value}"


def literal(value: str) -> str:
    """A file name as one quoted string of Hydra's grammar: `~` is expanded, nothing else is interpreted.

    Three spellings keep their usual meaning as long as no file bears that name: `null`, a value that is already quoted,
    and an interpolation (`out=talk_${seed}.mp4`); an empty value is `null`, too. In lists of files
    each entry is quoted by the caller.
    """
    from hydra.core.override_parser.types import Quote, QuotedString

    value = os.path.expanduser(value)
    if not _exists(value):
        if value in ("", "null"):  # `out=$UNSET` of a shell names no file
            return "null"
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            return value
    elif "${" in value:
        value = value.replace("${", "\\${")
    return QuotedString(value, Quote.single).with_quotes()


def _place(verb: Verb, bare: Sequence[str], given: Collection[str]) -> list[str]:
    """Bare words under the keys they stand for; keys that are `given` by name take none."""
    placed: list[str] = []
    keys = verb.words
    rest = list(bare)
    if verb.actions and rest:
        if rest[0] in verb.actions:
            action = rest.pop(0)
            placed.append(f"action={action}")
            keys = verb.actions[action]
        elif not keys:
            raise UserError(f"{verb.name} has no action {rest[0]!r}; it knows {', '.join(verb.actions)}.")
    for key in (key for key in keys if key.rstrip("*") not in given):
        if key.endswith("*"):
            if rest:
                key = key[:-1]
                quoted = [literal(word) if key in verb.paths else word for word in rest]
                placed.append(f"{key}=[{','.join(quoted)}]")
                rest = []
        elif rest:
            placed.append(override(verb, "", key, rest.pop(0)))
    if rest:
        raise UserError(
            f"{verb.name} does not know what to do with {rest[0]!r}; write settings as key=value "
            f"(`hallo-lit {verb.name} --help` lists them)."
        )
    return placed


def _value(name: str, rest: list[str]) -> str:
    if not rest:
        raise UserError(f"{name} needs a value after it.")
    return rest.pop(0)


def _is_boolean(rest: Sequence[str]) -> bool:
    return bool(rest) and rest[0].lower() in ("true", "false")


def _exists(value: str) -> bool:
    try:
        return os.path.lexists(value)
    except ValueError:  # a NUL inside
        return False
