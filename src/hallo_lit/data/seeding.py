"""Seeds made from what a draw is, never from when or where it happens."""

from __future__ import annotations

import hashlib


def seed_of(*parts: int | str) -> int:
    """63 bits that depend on every part and its place; the same on every machine, worker and rank."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
