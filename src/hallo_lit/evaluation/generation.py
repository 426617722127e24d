"""Videos of a test set, made once: an interrupted call goes on, a repeated one finds them done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from hallo_lit.animation.animator import Animator, Progress, silent
from hallo_lit.animation.options import USUAL, Options
from hallo_lit.animation.parts import JOB
from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
from hallo_lit.evaluation.cases import Case, portrait_of
from hallo_lit.evaluation.processes import everywhere
from hallo_lit.media.video import read_metadata

SETTINGS = "settings.json"
OF_A_CASE = ("portrait", "audio")
ALL = slice(None)


@dataclass(frozen=True)
class Generated:
    """
    Attributes:
        folder: one mp4 per case, and settings.json.
        made, reused: how many videos are new, and how many were there.
        faults: why the others could not be made, by name.
    """

    folder: Path
    made: int = 0
    reused: int = 0
    faults: Mapping[str, str] = field(default_factory=dict)


def generate(
    animator: Animator,
    cases: Sequence[Case],
    folder: Path,
    options: Options = USUAL,
    progress: Progress = silent,
    share: slice = ALL,
) -> Generated:
    """Animates every case into `folder/KEY/`, KEY being a hash of the weights and all settings.

    A video counts as made when what it says about itself equals what would be written now, portrait and recording
    included. Half-made ones keep their finished clips and are completed. `share` is this process's part of the cases.

    Raises:
        UserError: the folder cannot be written.
    """
    place = folder / key_of(animator, cases, options)
    made, reused, faults = 0, 0, {}
    mine = cases[share]
    for done, case in enumerate(mine, 1):
        out = place / f"{case.name}.mp4"
        try:
            portrait = portrait_of(case)
            about = _plain(animator.describe(portrait, case.audio, options))
            if is_made(out, about):
                reused += 1
            else:
                _settings(place, about)
                own = replace(options, resume=_begun(out, about))
                animator.animate(portrait, case.audio, out, own, progress)
                made += 1
        except UserError as error:
            faults[case.name] = str(error)
        progress("videos", done, len(mine))
    outcomes = everywhere((made, reused, faults))
    together = {name: fault for _, _, each in outcomes for name, fault in each.items()}
    return Generated(place, sum(one[0] for one in outcomes), sum(one[1] for one in outcomes), together)


def key_of(animator: Animator, cases: Sequence[Case], options: Options = USUAL) -> str:
    """12 hex digits that change with the weights and with every setting."""
    first = next(iter(cases))
    about = animator.describe(first.audio, first.audio, options)
    common = {name: value for name, value in _plain(about).items() if name not in OF_A_CASE}
    return sha256(json.dumps(common, sort_keys=True).encode()).hexdigest()[:12]


def is_made(out: Path, about: Mapping[str, Any]) -> bool:
    """Whether `out` is the very video that `about` describes."""
    with suppress(UserError):
        return out.is_file() and read_metadata(out) == about
    return False


def _begun(out: Path, about: Mapping[str, Any]) -> bool:
    """Whether finished clips of this very video wait beside it."""
    job = out.with_name(f"{out.name}.parts") / JOB
    with suppress(OSError, ValueError):
        return bool(json.loads(job.read_text()) == about)
    return False


def _settings(place: Path, about: Mapping[str, Any]) -> None:
    """Writes down what the folder's name stands for."""
    path = place / SETTINGS
    if not path.is_file():
        common = {name: value for name, value in about.items() if name not in OF_A_CASE}
        with replacing(path) as part:
            part.write_text(json.dumps(common, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _plain(about: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON would give it back."""
    found: dict[str, Any] = json.loads(json.dumps(about, default=str))
    return found
