"""The figures that a configuration (conf/evaluate.yaml) asks for, one PNG each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hallo_lit.animation.animator import Animator, Progress, silent
from hallo_lit.errors import UserError
from hallo_lit.evaluation.cases import Case, portrait_of
from hallo_lit.evaluation.figures.base import Figure
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.evaluation.running import animator_of, cases_of
from hallo_lit.factory import build

ALL = "all"
Tell = Callable[[str], None]


def draw_figures(
    config: Mapping[str, Any],
    command: str = "",
    tell: Tell = print,
    progress: Progress = silent,
    animator: Animator | None = None,
) -> list[Path]:
    """Draws `config["figures"]` into `config["figures_dir"]`; `tell` hears of each file and each failure.

    One that fails does not keep the others from being drawn. Of `all`, those that need more than is given are left out.

    Raises:
        UserError: a name or setting is wrong, the model or the case cannot be used, or every figure failed.
    """
    figures = figures_of(config)
    scene = scene_of(config, animator or animator_of(config), command, progress)
    made: list[Path] = []
    faults: list[str] = []
    for figure in figures:
        try:
            made.append(figure.draw(scene, Path(config["figures_dir"])))
            tell(str(made[-1]))
        except UserError as error:
            faults.append(str(error))
            if len(figures) > 1:
                tell(f"{figure.name} is left out: {error}")
    if not made or (faults and ALL not in names_in(config)):
        raise UserError(faults[0] if len(faults) == 1 else f"{len(faults)} figures could not be drawn: {faults[0]}")
    return made


def names_in(config: Mapping[str, Any]) -> Sequence[str]:
    """What `figures` lists; a single name may stand alone."""
    return [config["figures"]] if isinstance(config["figures"], str) else list(config["figures"])


def figures_of(config: Mapping[str, Any]) -> list[Figure]:
    """
    Raises:
        UserError: a name is not one of `config["figure"]`.
    """
    offered, names = config["figure"], names_in(config)
    wanted = list(offered) if ALL in names else names
    for name in wanted:
        if name not in offered:
            near = get_close_matches(str(name), list(offered), 1)
            hint = f"; did you mean {near[0]}?" if near else f"; choose among {', '.join(offered)}, {ALL}."
            raise UserError(f"There is no figure {name!r}{hint}")
    return [build(offered[name], trust=None) for name in dict.fromkeys(wanted)]


def scene_of(config: Mapping[str, Any], animator: Animator, command: str = "", progress: Progress = silent) -> Scene:
    """What `config["scene"]` names, or the test set's first case.

    Raises:
        UserError: only one of portrait and audio is given, or there is no such case.
    """
    asked = config["scene"]
    given = [name for name in ("portrait", "audio") if asked[name] is not None]
    if len(given) == 1:
        lacking = "audio" if given == ["portrait"] else "portrait"
        raise UserError(f"scene.{given[0]} needs scene.{lacking}=FILE beside it.")
    if given:
        portrait, audio, real = Path(asked["portrait"]), Path(asked["audio"]), asked["real"]
    else:
        case = _case(cases_of(config), asked["case"])
        portrait, audio, real = portrait_of(case), case.audio, asked["real"] or case.truth
    return Scene(
        animator,
        portrait.expanduser(),
        audio.expanduser(),
        None if real is None else Path(real).expanduser(),
        float(asked["seconds"]),
        int(config["seed"]),
        command,
        progress,
    )


def _case(cases: Sequence[Case], name: str | None) -> Case:
    if name is None:
        return cases[0]
    found = [case for case in cases if case.name == name]
    if not found:
        raise UserError(f"The test set has no case {name!r}; it has {', '.join(case.name for case in cases[:5])}, ...")
    return found[0]
