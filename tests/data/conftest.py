"""A store that the tests of the data module share."""

from __future__ import annotations

import pytest

from .stores import LENGTHS, make_store


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """28 clips of 7 persons; with test_share 0.2 and seed 3, 20 are for training."""
    return make_store(tmp_path_factory.mktemp("data") / "store", LENGTHS, people=7)
