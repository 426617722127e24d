"""A folder of recorded vectors, and the comparison of what we compute with what it holds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

UNRECORDED = 1e-5  # relative to the largest value, for quantities recorded without a tolerance


@dataclass(frozen=True)
class Row:
    """One compared output: error and tolerance are absolute unless the note says otherwise."""

    case: str
    output: str
    error: float
    tolerance: float
    note: str = ""

    @property
    def passed(self) -> bool:
        return self.error <= self.tolerance  # False for NaN

    def __str__(self) -> str:
        verdict = "pass" if self.passed else "MISS"
        return f"{self.case:24} {self.output:78} {self.error:9.2e} {self.tolerance:9.1e} {verdict} {self.note}".rstrip()


class VectorSet:
    """manifest.json of a folder, with the safetensors files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        self.cases = {case["id"]: case for case in self.manifest["cases"]}

    def config(self, prefix: str) -> dict[str, Any]:
        """The configuration of the first case whose id starts with `prefix`; empty when there is none."""
        return next((case["config"] for name, case in self.cases.items() if name.startswith(prefix)), {})

    def file(self, key: str, *prefixes: str) -> str:
        """The file that one of some cases names under `key`."""
        cases = (self.cases[name] for prefix in prefixes for name in self.cases if name.startswith(prefix))
        return next(case["files"][key] for case in cases)

    @cache  # noqa: B019  (a set lives as long as the run)
    def tensors(self, file: str) -> dict[str, Tensor]:
        return {name: t.float() if t.dtype == torch.float16 else t for name, t in load_file(self.folder / file).items()}

    def part(self, prefix: str, file: str | None = None) -> dict[str, Tensor]:
        """The tensors under `prefix`, without it; by default of the file that holds the whole net."""
        file = file or self.file("state_dict", "case07", "case08", "case01", "case02", "case03")
        return {k.removeprefix(prefix): v for k, v in self.tensors(file).items() if k.startswith(prefix)}

    def json(self, file: str) -> dict[str, Any]:
        path = self.folder / file
        return json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


@dataclass
class Case:
    """One case while it is being checked: its inputs, and the rows so far."""

    vectors: VectorSet
    name: str
    rows: list[Row] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.entry: dict[str, Any] = self.vectors.cases[self.name]
        self.config: dict[str, Any] = self.entry["config"]
        self.io = self.vectors.tensors(self.entry["files"]["io"])

    def __getitem__(self, name: str) -> Tensor:
        return self.io[f"in.{name}"]

    def state(self, prefix: str = "", key: str = "state_dict") -> dict[str, Tensor]:
        return self.vectors.part(prefix, self.entry["files"][key])

    def check(self, output: str, got: Tensor, tolerance: float | None = None) -> None:
        """Compares with `out.<output>` by the recorded tolerance; a wrong shape is an infinite error."""
        wanted, ours = self.io[f"out.{output}"].double(), got.detach().double()
        self.seen.add(f"out.{output}")
        if ours.shape != wanted.shape:
            note = f"shape {tuple(ours.shape)} != {tuple(wanted.shape)}"
            self.rows.append(Row(self.name, output, float("inf"), 0.0, note))
            return
        entry = self.suggested(output)
        error, largest, note = (ours - wanted).abs(), float(wanted.abs().max()), ""
        if tolerance is None and entry.get("suggested_rtol"):
            allowed = (entry["suggested_atol"] or 0.0) + entry["suggested_rtol"] * wanted.abs()
            error = torch.where(error == 0, 0.0, error / allowed)
            tolerance, note = 1.0, "in units of atol + rtol * value"
        if tolerance is None and entry.get("suggested_rel_to_max"):
            tolerance = entry["suggested_rel_to_max"] * largest
        if tolerance is None:
            tolerance = entry.get("suggested_atol") or UNRECORDED * max(1.0, largest)
        if not entry and not note:
            note = "no tolerance recorded"
        self.rows.append(Row(self.name, output, float(error.nan_to_num(nan=float("inf")).max()), tolerance, note))

    def suggested(self, output: str) -> Mapping[str, float | None]:
        """The recorded tolerance; a quantity recorded a second time without one takes that of the first."""
        entries = self.entry["tolerance"]
        names = (f"out.{output}", f"out.{output.rsplit('.', 1)[-1]}")
        return next((entries[name] for name in names if name in entries), {})

    def skip(self, output: str, why: str) -> None:
        self.skipped[output] = why
        self.seen.add(f"out.{output}")

    def unseen(self) -> list[str]:
        """Recorded outputs that no check looked at."""
        return sorted(name for name in self.io if name.startswith("out.") and name not in self.seen)
