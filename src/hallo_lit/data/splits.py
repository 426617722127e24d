"""Train and test clips without a person in both."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from hallo_lit.data.manifest import identity_of
from hallo_lit.data.seeding import seed_of
from hallo_lit.data.store_reader import ClipStore
from hallo_lit.errors import UserError


def held_out(identities: Iterable[str], share: float = 0.1, seed: int = 0) -> set[str]:
    """The `share` of persons whose hashed names come first, at least one; none when there is only one person.

    Depends on the names and the seed alone; when persons are added, hardly any of the others changes sides.
    """
    known = sorted(set(identities), key=lambda name: (seed_of("split", seed, name), name))
    if share <= 0 or len(known) < 2:
        return set()
    return set(known[: min(ceil(len(known) * share), len(known) - 1)])


def split_rows(store: ClipStore, share: float = 0.1, seed: int = 0) -> dict[str, list[int]]:
    """Rows of the store for "train" and for "test".

    A split written in the store for one clip of a person holds for all of them. Where the store names no test clips,
    persons without a split are divided by `held_out`. A person is the identity in the store, else what HDTF's naming
    rule makes of the source.

    Raises:
        UserError: the store puts one person on both sides.
    """
    rows = range(len(store))
    names = [store.identity(row) or identity_of(store.source(row)) for row in rows]
    given: dict[str, str] = {}
    for name, row in zip(names, rows, strict=True):
        if (split := store.split(row)) and given.setdefault(name, split) != split:
            raise UserError(
                f"{store.root} has clips of {name} for training and others for testing; give one split only."
            )
    test = {name for name, split in given.items() if split == "test"}
    if not test:
        test = held_out(set(names) - set(given), share, seed)
    return {
        "train": [row for row in rows if names[row] not in test],
        "test": [row for row in rows if names[row] in test],
    }
