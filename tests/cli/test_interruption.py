from __future__ import annotations

import os
import signal
import threading

import pytest

from hallo_lit.cli.interruption import interruptible


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_interrupt_like_ctrl_c(name: str) -> None:
    number = getattr(signal, name)
    signal.signal(number, signal.SIG_DFL)  # a parent such as nohup may have it ignored
    with pytest.raises(KeyboardInterrupt), interruptible():  # noqa: PT012
        os.kill(os.getpid(), number)
        threading.Event().wait(5)
    assert signal.getsignal(number) == signal.SIG_DFL


def test_ignored_and_handled_signals_stay_so() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.signal(signal.SIGTERM, lambda n, f: seen.append(n))
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
        assert seen == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGTERM, before[1])


def test_other_threads_may_use_it() -> None:
    done = threading.Event()

    def work() -> None:
        with interruptible():
            done.set()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done.is_set()
