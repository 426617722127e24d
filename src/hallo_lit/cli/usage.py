"""`--help`: the verbs, and the keys and groups of one verb, read from the comments of its YAML file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from hallo_lit.cli.verbs import VERBS, Verb

_KEY = re.compile(
    r"(?P<indent>  )?(?P<key>[A-Za-z_]\w*):\s*(?P<default>\"[^\"]*\"|'[^']*'|[^#]*?)\s*(?:#\s*(?P<comment>.*))?"
)
_GROUP = re.compile(r"\s*- (?:optional )?(?P<group>[a-z_]+(?:@\S+)?): (?P<choice>\S+).*")


class Option(NamedTuple):
    """One key of a verb's YAML file, dotted when it is in a section; `default` is YAML text."""

    key: str
    default: str
    comment: str


def options(conf: Path, verb: Verb) -> list[Option]:
    """The keys of `conf/<verb>.yaml` in the order of the file, those one level down as `section.key`."""
    found: list[Option] = []
    section = ""
    for line in (conf / f"{verb.name}.yaml").read_text(encoding="utf-8").splitlines():
        match = _KEY.fullmatch(line)
        if match is None:
            continue
        if not match["indent"]:
            section = match["key"] if not match["default"] else ""
        if section == "defaults" or section == match["key"]:
            continue
        key = f"{section}.{match['key']}" if match["indent"] else match["key"]
        found.append(Option(key, match["default"], match["comment"] or ""))
    return found


def booleans(conf: Path, verb: Verb) -> set[str]:
    """Keys that may stand on the command line as a bare `--key`."""
    return {option.key for option in options(conf, verb) if option.default in ("true", "false")}


def groups(conf: Path, verb: Verb) -> dict[str, tuple[str, list[str]]]:
    """Group -> (its default choice, all its choices), as listed in the verb's defaults list."""
    lines = (conf / f"{verb.name}.yaml").read_text(encoding="utf-8").splitlines()
    found = (_GROUP.fullmatch(line) for line in lines)
    return {
        match["group"]: (match["choice"], sorted(path.stem for path in (conf / _folder(match["group"])).glob("*.yaml")))
        for match in found
        if match is not None and match["group"] not in ("hydra", "paths")
    }


def _folder(group: str) -> str:
    """`metric@metric.fid` is a choice of the group `metric`, put at another place."""
    return group.partition("@")[0]


def overview() -> str:
    """What `hallo-lit` alone prints."""
    width = max(len(verb.name) for verb in VERBS)
    verbs = "\n".join(f"  {verb.name:<{width}}  {verb.summary}" for verb in VERBS)
    return (
        "usage: hallo-lit VERB [key=value ...]\n\n"
        f"{verbs}\n\n"
        "`hallo-lit VERB --help` lists the keys of a verb; `--version` prints the version."
    )


def details(conf: Path, verb: Verb) -> str:
    """What `hallo-lit VERB --help` prints."""
    examples = "\n".join(f"  {example}" for example in verb.examples)
    sections = [f"hallo-lit {verb.name}: {verb.summary}", f"Examples:\n{examples}"]
    rows = options(conf, verb)
    width = max((len(row.key) for row in rows), default=0)
    table = "\n".join(f"  {row.key:<{width}}  {row.comment} [{row.default}]" for row in rows)
    sections.append(f"Keys (key=value or --key value) [default]:\n{table}")
    if choices := groups(conf, verb):
        width = max(map(len, choices))
        lines = (f"  {name:<{width}}  {' | '.join(found)} [{chosen}]" for name, (chosen, found) in choices.items())
        sections.append("Groups (group=choice) [default]:\n" + "\n".join(lines))
    if verb.aliases:
        pairs = ", ".join(f"{theirs} = {ours}" for theirs, ours in verb.aliases.items())
        sections.append(f"Other names that work: {pairs}")
    sections.append(
        f"Every value of every group can be set, too: `hallo-lit {verb.name} --cfg job` prints them all.\n"
        "Own groups: -cd FOLDER. Several runs: -m key=a,b. File names need no quoting beyond the shell's."
    )
    return "\n\n".join(sections)
