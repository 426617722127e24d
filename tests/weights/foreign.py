"""Small state dicts in foreign names: the published key lists with shapes cut down to a tiny model's."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from hallo_lit.weights.formats import SOURCES, Source, depth
from hallo_lit.weights.layouts import layouts
from hallo_lit.weights.matching import Networks
from hallo_lit.weights.positions import sinusoids

BY_NAME: Mapping[str, Source] = {source.name: source for source in SOURCES}


def state(name: str, networks: Networks, generator: torch.Generator) -> dict[str, Tensor]:
    """A random file of the kind `name`, key for key as published, that fits `networks`."""
    published = layouts()[name]
    source = BY_NAME[name]
    made: dict[str, Tensor] = {}
    for part in source.parts(*depth(published)):
        for key in published:
            ours = networks[part.name].get(part.fmt.rename(key.removeprefix(part.prefix)))
            if not key.startswith(part.prefix) or ours is None:
                continue
            if key.endswith(".pe"):
                made[key] = sinusoids(*ours[1:])
            else:
                tail = (1, 1) if len(published[key]) > len(ours) else ()
                made[key] = torch.randn(*ours, *tail, generator=generator)
    return {key: made.get(key, torch.zeros(1)) for key in published}
