from __future__ import annotations

from hallo_lit.stages.callbacks.reconstructions import Reconstructions


def test_it_is_for_codecs_only() -> None:
    Reconstructions("nowhere").show(None, None)  # type: ignore[arg-type]
