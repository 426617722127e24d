"""Which samples a run should see, and which it saw."""

from __future__ import annotations

from pathlib import Path

from hallo_lit.data.sampler import ClipSampler

from . import recording


def expected(root: Path, steps: int) -> list[list[tuple[int, int]]]:
    """(sample, first frame) of every step on one device."""
    module = recording.data(root, 4)
    module.setup("fit")
    sampler = ClipSampler(len(module.train_set), 4, module.seed)
    found = []
    while len(found) < steps:
        for draws in sampler:
            samples = [module.train_set[draw] for draw in draws]
            found.append([(s.index, round((float(s.frames[0, 0, 0, 0]) + 1) * 127.5)) for s in samples])
    return found[:steps]


def steps_of(records: list[dict]) -> list[list[tuple[int, int]]]:
    """The same, from what the ranks wrote down."""
    steps = zip(*(record["seen"] for record in records), strict=True)
    return [[pair for part in parts for pair in zip(part["samples"], part["firsts"], strict=True)] for parts in steps]
