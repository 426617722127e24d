from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from hallo_lit.cli.verbs import Verb, by_name
from hallo_lit.cli.words import literal, translate
from hallo_lit.errors import UserError

ANIMATE = by_name()["animate"]
WEIGHTS = by_name()["weights"]
ODD_NAMES = [
    "My photo (1).png",
    "John's.png",
    'say "cheese".png',
    "ünï 写真.png",
    "a,b.png",
    "a=b.png",
    "[x].png",
    "$p.png",
    "{}.png",
    "{a: 1}.png",
    "100%.png",
    "#1.png",
    "a:b.png",
    "back\\slash.png",
    "trailing space ",
    " leading space",
    "ends with backslash\\",
    "quote before end\\'",
    "-dash.png",
    "null.png",
    "true",
    "12",
    "1e3",
    "a\tb.png",
    "a\nb.png",
    "choice(a,b).png",
    "glob(*).png",
    "@home.png",
    "semi;colon&amp.png",
    "!bang.png",
]


def received(verb: Verb, *words: str, booleans: tuple[str, ...] = ()) -> dict[str, object]:
    """The values a verb would find in its configuration, through Hydra's own parser."""
    cfg = OmegaConf.create({})
    for parsed in OverridesParser.create().parse_overrides(list(translate(verb, words, booleans).overrides)):
        OmegaConf.update(cfg, parsed.key_or_group, parsed.value())
    found = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_name_arrives_as_it_was_typed(name: str) -> None:
    assert received(ANIMATE, f"portrait={name}") == {"portrait": name}
    assert received(ANIMATE, "--source_image", name) == {"portrait": name}
    assert received(ANIMATE, f"--source-image={name}") == {"portrait": name}


@pytest.mark.parametrize("name", [n for n in ODD_NAMES if not n.startswith("-") and "=" not in n])
def test_a_bare_file_name_arrives_as_it_was_typed(name: str) -> None:
    assert received(ANIMATE, name, "speech.wav") == {"portrait": name, "audio": "speech.wav"}
    assert received(WEIGHTS, "import", name, "b.pth") == {"action": "import", "sources": [name, "b.pth"]}


def test_the_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert received(ANIMATE, "portrait=~/p.png") == {"portrait": "/home/someone/p.png"}
    assert received(ANIMATE, "~/p.png") == {"portrait": "/home/someone/p.png"}


def test_quotes_and_interpolations_mean_what_they_mean_to_hydra() -> None:
    assert received(ANIMATE, "portrait='a b.png'") == {"portrait": "a b.png"}
    assert received(ANIMATE, "portrait=null") == {"portrait": None}
    assert received(ANIMATE, "out=talk_${seed}.mp4", "seed=5") == {"out": "talk_5.mp4", "seed": 5}


@pytest.mark.parametrize("name", ["'a b.png'", "null", "${seed}.png"])
def test_unless_a_file_has_that_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    assert received(ANIMATE, f"portrait={name}") == {"portrait": name}


def test_names_of_the_original_work_in_every_spelling() -> None:
    words = ["--source_image", "p.png", "--driving_audio=a.wav", "--output", "o.mp4", "--pose_weight", "0.5"]
    words += ["face_weight=2", "--lip-weight=1.5", "inference_steps=7", "--cfg_scale=1", "--seed", "-3"]
    assert received(ANIMATE, *words, "face_expand_ratio=1.5") == {
        "portrait": "p.png",
        "audio": "a.wav",
        "out": "o.mp4",
        "pose_weight": 0.5,
        "face_weight": 2,
        "lip_weight": 1.5,
        "sampler": {"steps": 7},
        "cfg_scale": 1,
        "seed": -3,
        "face_expand_ratio": 1.5,
    }


def test_bare_words_skip_keys_that_are_given_by_name() -> None:
    found = received(ANIMATE, "portrait=p.png", "a.wav", "o.mp4")
    assert found == {"portrait": "p.png", "audio": "a.wav", "out": "o.mp4"}


def test_an_action_has_words_of_its_own() -> None:
    preprocess = by_name()["preprocess"]
    assert received(preprocess, "my videos", "store") == {"videos": "my videos", "out": "store"}
    assert received(preprocess, "check", "store") == {"action": "check", "store": "store"}
    assert received(WEIGHTS, "fetch", "hallo", "glintr100") == {"action": "fetch", "names": ["hallo", "glintr100"]}


def test_switches_stand_alone_or_with_a_value() -> None:
    assert received(ANIMATE, "--resume", "out=o.mp4", booleans=("resume",)) == {"resume": True, "out": "o.mp4"}
    assert received(ANIMATE, "--resume", "false", booleans=("resume",)) == {"resume": False}


def test_hydra_keeps_its_own_flags_and_grammar() -> None:
    call = translate(ANIMATE, ["-m", "fusion=gated,hierarchical", "-cd", "mine", "~preset", "++x.y=[1,2]", "--cfg=job"])
    assert call.flags == ("-m", "-cd", "mine", "--cfg", "job")
    assert call.overrides == ("fusion=gated,hierarchical", "~preset", "++x.y=[1,2]")
    assert call.folder == "mine"


@pytest.mark.parametrize(
    ("verb", "words", "said"),
    [
        (ANIMATE, ["--seed"], "--seed needs a value"),
        (ANIMATE, ["-q"], "no option -q"),
        (ANIMATE, ["a", "b", "c", "d"], "'d'"),
        (ANIMATE, ["--cfg", "everything"], "job, hydra, all"),
        (WEIGHTS, ["imprt", "x"], "no action 'imprt'"),
    ],
)
def test_words_without_meaning_are_named(verb: Verb, words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        translate(verb, words)


def test_an_empty_value_names_nothing() -> None:
    assert literal("") == "null"
