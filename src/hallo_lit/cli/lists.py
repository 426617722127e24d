"""`hallo-lit preprocess import` and `manifest`: lists that others made, as a store or as a table of videos."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from hallo_lit.cli.compose import compose, plain
from hallo_lit.data.atomic import replacing
from hallo_lit.data.spec import Encoder
from hallo_lit.errors import UserError

SHOWN = 5  # faults that are printed; all of them are in the file beside the result
THEIRS = ("audio_encoder=wav2vec2_base", "face_encoder=arcface")


def import_list(cfg: DictConfig) -> int:
    """Copies what a list of the original's scripts names into a store."""
    from hallo_lit.data import hallo_json

    given, out = _paths(cfg, "import LIST.json out=STORE")
    report = hallo_json.import_list(given, out, _made_by(cfg))
    print(f"{out}: {len(report.clips)} clips of {given}")
    _tell(report.faults, out / "import.faults.txt")
    return 0


def manifest(cfg: DictConfig) -> int:
    """Joins the lists of HDTF (a folder) or CelebV-HQ (a file) to downloaded videos, as a CSV for `preprocess`."""
    from hallo_lit.data.public_sets import celebv_manifest, hdtf_manifest

    usage = "manifest LISTS videos=FOLDER out=TABLE.csv"
    given, out = _paths(cfg, usage)
    if not cfg.videos:
        raise UserError(f"Where are the downloaded videos? Write `hallo-lit preprocess {usage}`.")
    if out.suffix.lower() != ".csv":
        raise UserError(f"The table {out} must be called something.csv, so that preprocess reads it as one.")
    made = (hdtf_manifest if given.is_dir() else celebv_manifest)(given, cfg.videos)
    if not made.rows:
        raise UserError(f"None of the listed videos can be used: {(*made.faults, 'the list is empty.')[0]}")
    made.save(out)
    videos, people = len({row.path for row in made.rows}), len({row.identity for row in made.rows})
    print(f"{out}: {len(made.rows)} stretches of {videos} videos, {people} identities")
    _tell(made.faults, out.with_suffix(".faults.txt"))
    return 0


def _paths(cfg: DictConfig, usage: str) -> tuple[Path, Path]:
    """The list and the result."""
    if not cfg.list or not cfg.out:
        raise UserError(f"A list and a place for the result are needed: `hallo-lit preprocess {usage}`.")
    return Path(cfg.list), Path(cfg.out)


def _made_by(cfg: DictConfig) -> dict[str, Encoder]:
    """What made the listed features: the original's encoders where the configuration has our defaults."""
    ours, theirs = compose("preprocess"), compose("preprocess", *THEIRS)
    groups = {"audio": "audio_encoder", "identity": "face_encoder"}
    chosen = {name: (theirs if cfg[group] == ours[group] else cfg)[group] for name, group in groups.items()}
    return {name: Encoder.of(plain(config)) for name, config in chosen.items()}


def _tell(faults: Sequence[str], notes: Path) -> None:
    """Prints the first faults and keeps all; a file of an earlier call goes when there are none now."""
    if not faults:
        notes.unlink(missing_ok=True)
        return
    with replacing(notes) as part:
        part.write_text("".join(f"{fault}\n" for fault in faults), encoding="utf-8", errors="surrogateescape")
    print(*faults[:SHOWN], sep="\n", file=sys.stderr)
    print(f"{len(faults)} entries cannot be used; see {notes}", file=sys.stderr)
