"""Names and shapes of the public checkpoints at release size, as the original implementation makes them.

`layouts.tsv.gz` holds lines of `source <tab> key <tab> shape`, the key in the spelling of the published file. It lets
`hallo-lit weights check` prove without any download that our networks have a place for every released tensor.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from types import MappingProxyType

from hallo_lit.weights.strict import Shape

_FILE = Path(__file__).with_name("layouts.tsv.gz")


@cache
def layouts() -> MappingProxyType[str, MappingProxyType[str, Shape]]:
    """source -> key -> shape, for `hallo`, `sd15-unet`, `animatediff-v2`, `sd-vae-ft-mse` and `wav2vec2-base-960h`."""
    found: dict[str, dict[str, Shape]] = {}
    for line in gzip.decompress(_FILE.read_bytes()).decode().splitlines():
        source, key, shape = line.split("\t")
        found.setdefault(source, {})[key] = tuple(map(int, filter(None, shape.split(","))))
    return MappingProxyType({source: MappingProxyType(keys) for source, keys in found.items()})
