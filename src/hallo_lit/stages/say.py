"""What a run tells: to the log of the program, from one process."""

from __future__ import annotations

import logging
import warnings

from lightning.pytorch.utilities import rank_zero_only

# warnings of Lightning about what is meant to be so, or about itself
IDLE = (
    "You're using the WeightAveraging callback with a model that overrides",
    "Total length of .* across ranks is zero",
    "The number of training batches",
    "Experiment logs directory",  # `keep_curve` has put them aside
    ".*treespec, LeafSpec",
)


@rank_zero_only
def say(text: str) -> None:
    logging.getLogger("hallo_lit").info(text)


def quieten() -> None:
    """Lightning's notes on devices and its products are not about the run; its warnings stay."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    for about in IDLE:
        warnings.filterwarnings("ignore", about)
