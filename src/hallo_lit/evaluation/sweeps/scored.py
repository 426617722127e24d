"""A row's numbers, found again when nothing they depend on has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from hallo_lit.errors import UserError
from hallo_lit.evaluation.row import Row
from hallo_lit.evaluation.running import OF_THE_MODEL, cases_of
from hallo_lit.evaluation.sweeps.results import Result, finished, hash_of
from hallo_lit.evaluation.sweeps.speed import measure
from hallo_lit.evaluation.table import REAL, Table
from hallo_lit.weights.bundle import open_bundle

Settings = Mapping[str, Any]
JUDGING = ("cases", "metric", "bootstrap", "seed", "crop", "face", "face_expand_ratio", "generate", "methods")


def scored(
    folder: Path,
    words: Sequence[str],
    config: Settings,
    shared: tuple[Settings, str],
    score: Callable[[Settings], Table],
) -> Result:
    """The row of `words` in the sweep's folder, by `score` where it is not there yet.

    config: of `evaluate`, for this row. shared: the same without what distinguishes the rows, and a name for what their
    training has in common.

    Raises:
        UserError: see `evaluation.running.evaluate`.
    """
    settings = hash_of([_settings(config), _weights(config["weights"])])
    common = hash_of([_settings(shared[0]), shared[1]])
    if (found := finished(folder, words, settings)) and found.common == common:
        return found
    table = score(config)
    columns = {column.key: column.heading for column in table.columns}
    result = Result(list(words), settings, common, _own(table, words), columns, dict(table.header))
    result.save(folder)
    return result


def measured(folder: Path, words: Sequence[str], bench: Sequence[str], shared: Sequence[str], frames: int) -> Result:
    """The row of `words` by `hallo-lit bench` with the words `bench`; `shared` are those of them that all rows have."""
    about = [torch.__version__, frames]
    settings, common = hash_of([list(bench), about]), hash_of([list(shared), about])
    if found := finished(folder, words, settings):
        return found
    row, header = measure(",".join(words) or "base", bench, frames)
    result = Result(list(words), settings, common, row, {key: key for key in row.values}, header)
    result.save(folder)
    return result


def _settings(config: Settings) -> dict[str, Any]:
    """What numbers depend on, the test set's files included."""
    kept = {key: config[key] for key in (*OF_THE_MODEL, *JUDGING) if key in config}
    return {**kept, "clips": [(case.name, str(case.portrait)) for case in cases_of(config)]}


def _weights(bundle: str | None) -> Any:
    return None if bundle is None else open_bundle(bundle, check=False)[2]


def _own(table: Table, words: Sequence[str]) -> Row:
    rows = [row for row in table.rows if row.name != REAL]
    if len(rows) != 1:
        raise UserError("A row of a sweep is one model; leave methods={} and generate=true.")
    return replace(rows[0], name=",".join(words) or "base")
