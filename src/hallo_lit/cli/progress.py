"""Progress bars with the time left, one per phase, and how long each phase took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Phases:
    """`phases("denoise", 3, 40)` says that 3 of 40 pieces of a phase are done.

    The time since the last call, whatever its phase, counts for the phase that is reported; so the seconds of all
    phases add up to the time that passed, also when phases take turns. Bars go to stderr, and only to a terminal.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter, console: Console | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = clock
        console = console or Console(file=sys.stderr)
        self._bars = Progress(
            TextColumn("{task.description:>12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._last = clock()

    def __enter__(self) -> Phases:
        self._bars.start()
        self._last = self._clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """`total` may be unknown, and may change from call to call."""
        now = self._clock()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total)
        self._bars.update(self._tasks[phase], completed=done, total=total)

    def start_over(self) -> None:
        """Forget all phases, for the next video."""
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks, self.seconds = {}, {}

    def summary(self) -> str:
        """'7.3 s: load 2.1 s, denoise 4.0 s, ...' in the order in which the phases began."""
        parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())
        return f"{sum(self.seconds.values()):.1f} s: {parts}"
