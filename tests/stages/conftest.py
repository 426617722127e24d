"""One store for all tests of the stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from .small import make_store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips with pictures."""
    return make_store(tmp_path_factory.mktemp("store") / "clips")


@pytest.fixture(scope="session")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips with cached latents beside their pictures."""
    return make_store(tmp_path_factory.mktemp("cached") / "clips", latents=True)
