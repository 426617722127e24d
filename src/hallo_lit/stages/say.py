"""What a run tells: to the log of the program, from one process."""

from __future__ import annotations

import logging
import warnings

from lightning.pytorch.utilities import rank_zero_only


@rank_zero_only
def say(text: str) -> None:
    logging.getLogger("hallo_lit").info(text)


def quieten() -> None:
    """Lightning's notes on devices and its products are not about the run; its warnings stay."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    for about in ("You're using the WeightAveraging", "The number of training batches", ".*treespec, LeafSpec"):
        warnings.filterwarnings("ignore", about)
