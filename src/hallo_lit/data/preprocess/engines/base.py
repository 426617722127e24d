"""What every engine does: hand jobs out, hand answers back, survive the death of whoever worked on one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from hallo_lit.data.preprocess.job import Job

Work = Callable[[Job], dict[str, Any]]


class Answer(NamedTuple):
    """The report line of one job, or the sentence that says why there is none."""

    job: Job
    line: dict[str, Any] | None
    fault: str = ""


class Engine(Protocol):
    """Runs `work` on every job, in any order. `work` is a module-level function: it is sent to other processes by name.

    An exception of `work` ends the run and is raised here; a worker that dies costs its job alone.
    """

    def run(self, work: Work, jobs: Sequence[Job]) -> Iterator[Answer]: ...
