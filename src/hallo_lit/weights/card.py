"""The two texts of a bundle: its model card and the licences of its parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hallo_lit.weights.licences import LICENCES, RESTRICTED, describe

CARD = "README.md"
LICENCES_FILE = "LICENSES"


def model_card(
    name: str,
    sizes: Mapping[str, int],
    lineage: Mapping[str, Sequence[str]],
    digests: Mapping[str, str],
    notes: str = "",
) -> str:
    """Markdown with the front matter of the Hugging Face hub. sizes: part -> values; digests: input file -> SHA-256;
    notes: sections before the last one."""
    rows = "\n".join(
        f"| {part} | {size / 1e6:.2f} M | {', '.join(_titles(lineage.get(part, ('unknown',))))} |"
        for part, size in sizes.items()
    )
    made_from = "\n".join(f"- `{file}` SHA-256 `{digest}`" for file, digest in digests.items())
    told = f"\n{notes.strip()}\n" if notes else ""
    restricted = any(key in RESTRICTED for keys in lineage.values() for key in keys)
    warning = "\n**Non-commercial research only**, because of one of its parts; see LICENSES.\n" if restricted else ""
    return f"""---
library_name: hallo_lit
license: other
license_name: see-LICENSES
license_link: LICENSES
tags: [talking-head, portrait-animation, audio-driven]
---

# {name}

Weights for hallo_lit: one portrait and one speech recording become a talking video.
{warning}
```python
from hallo_lit import Animator

animator = Animator.from_pretrained({json.dumps(name)})
```

or `hallo-lit animate portrait=face.png audio=speech.wav out=talk.mp4 weights=<this folder>`.

| part | values | from |
|---|---|---|
{rows}

`config.yaml` is the resolved configuration, `SHA256SUMS` the hash of every file (`sha256sum -c SHA256SUMS`).
{f"{chr(10)}Made from:{chr(10)}{chr(10)}{made_from}{chr(10)}" if made_from else ""}{told}
## Use

What these weights make is synthetic. Show it as such, and animate only people who agreed to it; hallo_lit marks every
video it writes in the metadata. Portraits far from frontal, hands and large head motion come out poorly.
"""


def licences_text(lineage: Mapping[str, Sequence[str]]) -> str:
    """Part by part, every licence that applies, in plain text."""
    lines = ["Licences of the parts of this bundle", ""]
    for part, keys in lineage.items():
        lines += [part, *(f"  - {describe(key)}" for key in keys), ""]
    return "\n".join(lines)


def _titles(keys: Sequence[str]) -> list[str]:
    return [LICENCES[key].work if key in LICENCES else key for key in keys]
