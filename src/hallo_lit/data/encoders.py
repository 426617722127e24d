"""The networks that make features, from their configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hallo_lit.errors import UserError
from hallo_lit.factory import build


def build_encoder(config: Mapping[str, Any], group: str) -> Any:
    """The encoder that a configuration of the group `group` (`audio_encoder`, `face_encoder`) describes.

    Raises:
        UserError: it is one that needs weights and is given none (`weights: null`, and no seed to make them from): its
            features would be other noise every time.
    """
    if "weights" in config and config["weights"] is None and "seed" not in config:
        raise UserError(
            f"{group} has no weights, so that its features would be noise; give {group}.weights=FILE "
            "(for the viseme encoder, `python -m hallo_lit.stages.viseme --out FILE` makes one in a minute)."
        )
    return build(config, trust=None)
