"""`hallo-lit preprocess`: videos to a clip store; `hallo-lit preprocess check STORE`: is it whole?"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from omegaconf import DictConfig

from hallo_lit.cli.compose import plain
from hallo_lit.errors import UserError


def run(cfg: DictConfig) -> int:
    """Exit status 1 when nothing at all is in the store, or when `check` found damage."""
    if cfg.action == "check":
        return check(cfg)
    if cfg.action != "run":
        raise UserError(f"preprocess has no action {cfg.action}; it knows check.")
    from hallo_lit.data.preprocess.report import summarise, table
    from hallo_lit.data.preprocess.run import preprocess

    begin = time.monotonic()
    outcome = preprocess(plain(cfg), progress=sys.stderr.isatty())
    summary = summarise(outcome.lines)
    print(table(summary))
    print(f"{outcome.reused} of {len(outcome.lines)} inputs were done before; {time.monotonic() - begin:.0f} s")
    print(f"report: {outcome.report}\npicture: {outcome.page}")
    return 0 if summary.seconds else 1


def check(cfg: DictConfig) -> int:
    from hallo_lit.data.store import check_store

    store = cfg.store or cfg.out
    if not store:
        raise UserError("Which store? Write `hallo-lit preprocess check STORE`.")
    report = check_store(Path(store), deep=cfg.deep, repair=cfg.repair)
    print(report.summary())
    return 0 if report.ok else 1
