"""Compares the metrics with recorded vectors: `python tests/parity/run_metric_vectors.py DIR`.

Prints case, error, tolerance and verdict; exits with 1 on any miss. Tensors that no case compares are named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from metric_vectors import distributions, statistics, sync
from metric_vectors.folder import Case, Topic, topics

CASES: dict[str, Callable[[Topic], Iterator[Case]]] = {
    "syncnet": sync.syncnet,
    "syncnet_crop": sync.crop,
    "s3fd": sync.s3fd,
    "mfcc": statistics.mfcc_cases,
    "frechet": statistics.frechet,
    "proxy": statistics.proxy,
    "fvd": distributions.fvd,
    "efid": distributions.efid,
    "inception": distributions.inception,
}


def run(folder: Path, only: str | None = None) -> Iterator[Case]:
    """Every case of a folder, named `file: case`."""
    for topic, checks in topics(folder):
        if only is not None and topic.name != only:
            continue
        cases = [*checks]
        if topic.name in CASES:
            try:
                cases.extend(CASES[topic.name](topic))
            except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
                cases.append(Case(f"raised {type(error).__name__}: {error}", float("inf"), 0.0))
            if len(cases) == len(checks):
                cases.append(Case("holds no case of its kind", float("inf"), 0.0))
            for name in topic.unread():
                print(f"{topic.name}: no case compares {name}", file=sys.stderr)
        else:
            cases.append(Case("is of an unknown kind", float("inf"), 0.0))
        for case in cases:
            yield Case(f"{topic.name}: {case.name}", case.error, case.tolerance)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with manifest.json and safetensors files")
    parser.add_argument("--only", help="one file of the folder, without its suffix")
    arguments = parser.parse_args()
    if not (arguments.folder / "manifest.json").is_file():
        print(f"{arguments.folder} has no manifest.json; give the folder of the vectors.", file=sys.stderr)
        return 2
    count = missed = 0
    for case in run(arguments.folder, arguments.only):
        count, missed = count + 1, missed + (not case.passed)
        print(
            f"{case.name:60s} {case.error:10.3g} {case.tolerance:10.3g} {'pass' if case.passed else 'MISS'}", flush=True
        )
    print(f"{count - missed} of {count} pass")
    return 1 if missed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
