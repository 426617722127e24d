"""`hallo-lit preprocess`: videos to a clip store; `hallo-lit preprocess check STORE`: is it whole?"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from omegaconf import DictConfig
from torch import nn

from hallo_lit.cli.bundled import prepare_for
from hallo_lit.cli.compose import plain
from hallo_lit.cli.interruption import interruptible
from hallo_lit.errors import UserError
from hallo_lit.factory import build

CODEC = "codec.safetensors"


def run(cfg: DictConfig) -> int:
    """Exit status 1 when nothing at all is in the store, or when `check` found damage."""
    if cfg.action == "check":
        return check(cfg)
    if cfg.action in ("import", "manifest"):
        from hallo_lit.cli import lists

        return (lists.import_list if cfg.action == "import" else lists.manifest)(cfg)
    if cfg.action != "run":
        raise UserError(f"preprocess has no action {cfg.action}; it knows check, import and manifest.")
    from hallo_lit.data.preprocess.report import summarise, table
    from hallo_lit.data.preprocess.run import preprocess

    begin = time.monotonic()
    if cfg.weights:
        prepare_for(cfg, cfg.weights)
    config = plain(cfg)
    if config["latents"]:
        config["features"]["latents"] = _codec_of(config["weights"])
    with interruptible():
        outcome = preprocess(config, progress=sys.stderr.isatty())
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


def codec(bundle: str, sha256: str) -> nn.Module:
    """The codec of a bundle, as workers build it; `sha256` is that of its weights and makes stored latents stale."""
    from hallo_lit.weights.bundle import open_bundle
    from hallo_lit.weights.reading import read_state
    from hallo_lit.weights.strict import load_strictly

    folder, config, index = open_bundle(bundle, check=False)
    if index.get(CODEC) != sha256:
        raise UserError(f"{bundle} was changed while preprocess was running; start it again.")
    made: nn.Module = build(config["model"]["codec"])
    load_strictly(made, read_state(folder / CODEC), str(folder / CODEC))
    return made


def _codec_of(bundle: str | None) -> dict[str, str]:
    """The configuration that `codec` is built from."""
    from hallo_lit.weights.bundle import open_bundle

    if not bundle:
        raise UserError("latents=true needs weights=BUNDLE, whose codec makes them.")
    folder, _, index = open_bundle(bundle)
    if CODEC not in index:
        raise UserError(f"The bundle {bundle} has no {CODEC}; choose one with a codec.")
    return {"_target_": f"{__name__}.codec", "bundle": str(folder), "sha256": index[CODEC]}
