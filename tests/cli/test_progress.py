from __future__ import annotations

import io

from rich.console import Console

from hallo_lit.cli.progress import Phases


def test_the_seconds_of_all_phases_add_up() -> None:
    now = [100.0]
    phases = Phases(clock=lambda: now[0], console=Console(file=io.StringIO()))
    now[0] = 105.0  # before the first phase begins
    with phases:
        for name, done, seconds in [("load", 1, 2.0), ("denoise", 1, 3.0), ("write", 1, 0.5), ("denoise", 2, 3.0)]:
            now[0] += seconds
            phases(name, done, 2)
    assert phases.seconds == {"load": 2.0, "denoise": 6.0, "write": 0.5}
    assert phases.summary() == "8.5 s: load 2.0 s, denoise 6.0 s, write 0.5 s"
    phases.start_over()
    assert phases.summary() == "0.0 s: "


def test_bars_are_drawn_on_a_terminal_and_nowhere_else() -> None:
    def drawn(terminal: bool) -> str:
        screen = io.StringIO()
        with Phases(console=Console(file=screen, force_terminal=terminal, width=100)) as phases:
            phases("denoise", 1)
            phases("denoise", 3, 4)
        return screen.getvalue()

    assert "denoise" in drawn(terminal=True)
    assert "3/4" in drawn(terminal=True)
    assert drawn(terminal=False) == ""
