from __future__ import annotations

import pytest

from hallo_lit.evaluation.processes import barrier, everywhere, is_first, is_several, processes, share


def test_one_process_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes():
        assert not is_several()
        assert is_first()
        assert list(range(3))[share()] == [0, 1, 2]
        assert everywhere("mine") == ["mine"]
        barrier()
