from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from hallo_lit import __version__
from hallo_lit.cli import main as cli
from hallo_lit.cli.verbs import VERBS
from hallo_lit.errors import UserError
from hallo_lit.media.video_writer import VideoWriter

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the place from which the command is called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/hallo-lit", "left", "alone"])
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    return tmp_path


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[DictConfig], Any]], None]:
    """Replaces what every verb does."""

    def replace(function: Callable[[DictConfig], Any]) -> None:
        monkeypatch.setattr(cli, "_entry", lambda verb: function)

    return replace


def test_the_verb_receives_the_composed_configuration(outside: Path, verb: Any) -> None:
    seen: list[DictConfig] = []
    verb(seen.append)
    assert cli.main(["animate", "--source_image", "a b,c.png", "preset=fast", "seed=3"]) == 0
    (cfg,) = seen
    assert (cfg.portrait, cfg.seed, cfg.sampler.solver) == ("a b,c.png", 3, "dpm")
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("status", [0, 1, 3])
def test_what_the_verb_returns_is_the_exit_status(outside: Path, verb: Any, status: int) -> None:
    verb(lambda cfg: status)
    assert cli.main(["animate"]) == status


def test_a_user_error_is_one_sentence_and_status_2(outside: Path, verb: Any, capsys: Capture) -> None:
    def fail(cfg: DictConfig) -> None:
        raise UserError("face.png has no face; take another photo.")

    verb(fail)
    assert cli.main(["animate"]) == 2
    assert capsys.readouterr() == ("", "hallo-lit: face.png has no face; take another photo.\n")
    assert list(outside.iterdir()) == []


def test_an_error_of_ours_shows_its_own_stack_only(outside: Path, verb: Any, capsys: Capture) -> None:
    def fail(cfg: DictConfig) -> None:
        raise ZeroDivisionError("surprise")

    verb(fail)
    assert cli.main(["animate"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError: surprise" in said
    assert "hydra" not in said.lower()


def test_an_interrupt_is_one_line_and_status_130(outside: Path, verb: Any, capsys: Capture) -> None:
    def stop(cfg: DictConfig) -> None:
        raise KeyboardInterrupt

    verb(stop)
    assert cli.main(["animate"]) == 130
    assert capsys.readouterr().err == "hallo-lit: interrupted.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["aniamte"], "did you mean animate?"),
        (["animate", "portait=x.png"], "has no setting portait (did you mean portrait?)"),
        (["animate", "--source-imge", "x.png"], "did you mean source_image?"),
        (["animate", "sampler.step=3"], "did you mean sampler.steps?"),
        (["animate", "fusion=gaetd"], "There is no fusion=gaetd (did you mean gated?); choose one of convolution"),
        (["animate", "sampler.steps=abc"], "sampler.steps must be a whole number, not 'abc'."),
        (["animate", "sampler.steps=1.5"], "sampler.steps must be a whole number, not 1.5."),
        (["animate", "cfg_scale=high"], "cfg_scale must be a number, not 'high'."),
        (["animate", "resume=3"], "resume must be true or false, not 3."),
        (["animate", "seed=1,2"], "add -m"),
        (["animate", "seed=[1,2"], "not a setting Hydra can read"),
        (["animate", "+seed=2"], "seed exists already"),
        (["animate", "-cd", "nowhere"], "nowhere' not found"),
        (["animate", "out=${nothing}.mp4"], "'nothing' not found"),
        (["animate", "size=128"], "group.key"),
        (["animate", "nothing/at_all=3"], "has no setting nothing/at_all"),
    ],
)
def test_a_wrong_word_is_one_sentence_and_status_2(
    outside: Path, verb: Any, capsys: Capture, words: list[str], said: str
) -> None:
    verb(lambda cfg: cfg.out)
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert err.count("\n") == 1
    assert out == ""
    assert list(outside.iterdir()) == []


def test_numbers_may_be_whole_where_a_fraction_is_usual(outside: Path, verb: Any) -> None:
    verb(lambda cfg: int(cfg.cfg_scale))
    assert cli.main(["animate", "cfg_scale=2"]) == 2


def test_further_ranks_are_started_with_what_was_typed(outside: Path, verb: Any) -> None:
    seen: list[list[str]] = []
    names: list[str] = []

    def look(cfg: DictConfig) -> None:
        seen.append(list(sys.argv))
        names.append(HydraConfig.get().job.name)

    verb(look)
    assert cli.main(["animate", "--seed", "3", "My photo (1).png"]) == 0
    assert seen == [["/somewhere/bin/hallo-lit", "animate", "--seed", "3", "My photo (1).png"]]
    rank = [*seen.pop()[1:], 'hydra.run.dir="."', "hydra.job.name=train_ddp_process_1", "hydra.output_subdir=null"]
    assert cli.main(rank) == 0
    assert seen == [["/somewhere/bin/hallo-lit", *rank]]
    assert names == ["animate", "train_ddp_process_1"]


def test_argv_and_environment_are_given_back(outside: Path, verb: Any) -> None:
    verb(lambda cfg: None)
    cli.main(["animate"])
    assert sys.argv == ["/somewhere/bin/hallo-lit", "left", "alone"]
    assert "HYDRA_FULL_ERROR" not in os.environ


def test_groups_of_the_users_own(outside: Path, verb: Any, capsys: Capture) -> None:
    (outside / "my conf" / "sampler").mkdir(parents=True)
    (outside / "my conf" / "sampler" / "mine.yaml").write_text("_target_: mine.Sampler\nsolver: mine\nsteps: 7\n")
    verb(lambda cfg: cfg.sampler.steps)
    assert cli.main(["animate", "-cd", "my conf", "sampler=mine"]) == 7
    assert cli.main(["animate", "-cd", "my conf", "sampler=mine", "sampler.steps=9"]) == 9
    assert cli.main(["animate", "-cd", "my conf", "sampler=mine", "sampler.steps=many"]) == 2
    assert "a whole number" in capsys.readouterr().err
    assert cli.main(["animate", "-cd", "my conf", "sampler=mien"]) == 2
    assert "did you mean mine?" in capsys.readouterr().err


def test_a_sweep_runs_every_row(outside: Path, verb: Any) -> None:
    seen: list[tuple[str, int]] = []
    verb(lambda cfg: seen.append((cfg.out, cfg.seed)))
    assert cli.main(["animate", "-m", "seed=1,2", "out=talk_${seed}.mp4"]) == 0
    assert seen == [("talk_1.mp4", 1), ("talk_2.mp4", 2)]


def test_a_failed_row_of_a_sweep_stops_no_other(outside: Path, verb: Any, capsys: Capture) -> None:
    seen: list[int] = []

    def fail(cfg: DictConfig) -> None:
        if cfg.seed == 1:
            raise UserError("seed 1 is unlucky.")
        seen.append(cfg.seed)

    verb(fail)
    assert cli.main(["animate", "-m", "seed=1,2"]) == 2
    assert seen == [2]
    assert "seed 1 is unlucky." in capsys.readouterr().err


def test_the_configuration_can_be_shown_instead(outside: Path, verb: Any, capsys: Capture) -> None:
    verb(lambda cfg: pytest.fail("ran"))
    assert cli.main(["animate", "--cfg", "job", "seed=12"]) == 0
    assert "seed: 12" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_without_a_verb_all_are_listed(words: list[str], capsys: Capture) -> None:
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert all(f"  {verb.name} " in said for verb in VERBS)


@pytest.mark.parametrize("words", [["--version"], ["animate", "--version"]])
def test_the_version_is_ours(words: list[str], capsys: Capture) -> None:
    assert cli.main(words) == 0
    assert capsys.readouterr().out == f"hallo-lit {__version__}\n"


@pytest.mark.parametrize("words", [["animate", "--help"], ["animate", "--describe", "talk.mp4"]])
def test_nobody_has_to_read_to_the_end(tmp_path: Path, words: list[str]) -> None:
    """As in `hallo-lit animate --help | head`."""
    with VideoWriter(tmp_path / "talk.mp4", (32, 32), 25, None, {"notes": ["x" * 100] * 2000}) as writer:
        writer.write(np.zeros((32, 32, 3), np.uint8))
    reading, writing = os.pipe()
    os.close(reading)
    program = "import sys; from hallo_lit.cli.main import main; sys.exit(main(sys.argv[1:]))"
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-c", program, *words], cwd=tmp_path, stdout=closed, stderr=subprocess.PIPE, timeout=100,
            text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (141, "")
