"""What the data module does with raw videos before training."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from hallo_lit.data.preprocess.report import summarise, table
from hallo_lit.data.preprocess.run import Outcome, preprocess
from hallo_lit.data.spec import Encoder


def fill(videos: str, store: Path, encoders: Mapping[str, Encoder]) -> Outcome:
    """`hallo-lit preprocess videos=... out=STORE` with the encoders of the run, and the default one for other features.

    Says what became of the videos when any was new.

    Raises:
        UserError: see `preprocess`.
    """
    features = {feature: dict(made.config) for feature, made in encoders.items() if made.config}
    features["separator"] = features.get("audio", {}).pop("separator", None)
    outcome = preprocess({"videos": videos, "out": str(store), "features": features}, sys.stderr.isatty())
    if outcome.reused < len(outcome.lines):
        print(f"{table(summarise(outcome.lines))}\nreport: {outcome.report}", file=sys.stderr)
    return outcome
