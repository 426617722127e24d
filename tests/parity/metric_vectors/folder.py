"""A folder of vectors: manifest, tensors, and the recipe that re-creates big weights."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn


@dataclass(frozen=True)
class Case:
    """One comparison; it passes when error <= tolerance."""

    name: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        return self.error <= self.tolerance  # False for NaN


@dataclass
class Topic:
    """One file of vectors; remembers which tensors were looked at."""

    name: str
    tensors: dict[str, np.ndarray]
    manifest: dict[str, Any]
    read: set[str] = field(default_factory=set)

    @property
    def values(self) -> dict[str, Any]:
        return self.manifest["values"].get(self.name, {})

    def __contains__(self, key: str) -> bool:
        return key in self.tensors

    def __getitem__(self, key: str) -> np.ndarray:
        self.read.add(key)
        return self.tensors[key]

    def number(self, key: str) -> float:
        return float(self[key].reshape(-1)[0])

    def tensor(self, key: str) -> Tensor:
        return torch.from_numpy(self[key])

    def matching(self, pattern: str) -> Iterator[re.Match[str]]:
        """Tensor names that the whole pattern fits, in order."""
        found = (re.fullmatch(pattern, key) for key in self.tensors)
        return (match for match in found if match)

    def unread(self) -> list[str]:
        return sorted(set(self.tensors) - self.read)


def topics(folder: Path) -> Iterator[tuple[Topic, list[Case]]]:
    """Every file of the manifest, with the comparison of its hash."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for file, entry in manifest["files"].items():
        path = folder / file
        cases = []
        if "sha256" in entry:
            cases.append(exact("sha256 of the file", hashlib.sha256(path.read_bytes()).hexdigest(), entry["sha256"]))
        tensors = load_file(path)
        for name, (shape, _) in entry.get("contents", {}).items():
            if name not in tensors or list(tensors[name].shape) != shape:
                cases.append(Case(f"{name} as in the manifest", float("inf"), 0.0))
        yield Topic(path.stem, tensors, manifest), cases


def recipe(network: nn.Module, seed: int, topic: Topic, prefix: str = "override.") -> dict[str, Tensor]:
    """Weights by the manifest's recipe, the tensors stored in the file in their place afterwards."""
    scales = multipliers(topic.manifest["recipes"].get("weights_multipliers", {}).get(topic.name, {}))
    generator = np.random.Generator(np.random.PCG64(seed))
    state = network.state_dict()
    for key in sorted(state):
        if key.endswith("num_batches_tracked"):
            continue
        shape = tuple(state[key].shape)
        z = generator.standard_normal(shape)
        if key.endswith("running_mean"):
            made = 0.1 * z
        elif key.endswith("running_var"):
            made = np.exp(0.2 * z)
        elif len(shape) >= 2:
            made = z * np.sqrt(2 / np.prod(shape[1:]))
        else:
            made = 1 + 0.1 * z if key.endswith(".weight") else 0.05 * z
        if key in scales:
            made = scales[key](made)
        state[key] = torch.from_numpy(made.astype(np.float32))
    for match in topic.matching(re.escape(prefix) + "(.+)"):
        state[match[1]] = topic.tensor(match[0])
    return state


def multipliers(described: dict[str, Any]) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """ "a.{0,1}.weight and b.weight: 0.3" or "constant 10 (...)" -> what to do with each tensor."""
    found: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    for names, what in described.items():
        constant = re.match(r"constant ([\d.]+)", str(what))
        number = float(constant[1]) if constant else float(what)
        for name in names.split(" and "):
            braces = re.search(r"\{(.+)\}", name)
            for choice in braces[1].split(",") if braces else [""]:
                full = name.replace(braces[0], choice) if braces else name
                found[full] = _constant(number) if constant else _scaled(number)
    return found


def _constant(number: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda made: np.full_like(made, number)


def _scaled(number: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda made: made * number


def digest(state: dict[str, Tensor]) -> str:
    """SHA-256 over the float tensors in sorted key order."""
    floats = (state[key] for key in sorted(state) if state[key].is_floating_point())
    return hashlib.sha256(b"".join(value.numpy().astype("<f4").tobytes() for value in floats)).hexdigest()


def exact(name: str, got: Any, wanted: Any) -> Case:
    return Case(name, 0.0 if got == wanted else float("inf"), 0.0)


def close(name: str, got: Any, wanted: Any, tolerance: float, relative: bool = False) -> Case:
    """Largest absolute difference; `relative` divides it by the RMS of what is wanted."""
    a, b = np.asarray(got, np.float64), np.asarray(wanted, np.float64)
    if a.shape != b.shape:
        return Case(f"{name}: shape {a.shape} instead of {b.shape}", float("inf"), tolerance)
    error = float(np.abs(a - b).max(initial=0.0))
    return Case(name, error / max(float(np.sqrt((b**2).mean())), 1e-300) if relative else error, tolerance)
