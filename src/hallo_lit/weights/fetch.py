"""Downloads public weights, and says which are there."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hallo_lit.errors import UserError
from hallo_lit.weights.hub import reason
from hallo_lit.weights.index import sha256
from hallo_lit.weights.known import FOLDER, JUDGES, KNOWN, Known, known
from hallo_lit.weights.licences import LICENCES

RECORD = "fetched.json"  # beside the weights: place -> {sha256, size, source}
_DOWNLOADS = ".downloads"


@dataclass(frozen=True)
class Status:
    """One line of `weights list`; problem is None when the file looks right, or says what is wrong with it."""

    item: Known
    path: Path
    present: bool
    problem: str | None = None


def status(folder: Path = FOLDER) -> list[Status]:
    """What is there, judged by size (what was fetched has had its hash compared)."""
    return [_status(item, folder / item.place) for item in (*KNOWN, *JUDGES)]


def _status(item: Known, path: Path) -> Status:
    if not path.is_file():
        return Status(item, path, False)
    size = path.stat().st_size
    if item.size is not None and size != item.size:
        return Status(item, path, True, f"{size} bytes instead of {item.size}: not the published file, or cut short")
    if size < 1_000:
        return Status(item, path, True, f"only {size} bytes: a git-lfs pointer or an error page")
    return Status(item, path, True)


def fetch(names: Sequence[str], to: Path = FOLDER) -> list[Path]:
    """Downloads each by name into its place below `to`; broken downloads are resumed, finished ones kept.

    Raises:
        UserError: an unknown name, no network, a refusal, a full disk, or a hash that is not the published one.
    """
    items = [known(name) for name in names]
    return [_fetch(item, Path(to)) for item in items]


def _fetch(item: Known, to: Path) -> Path:
    target = to / item.place
    if _status(item, target).present and _status(item, target).problem is None:
        return target
    if item.by_hand:
        raise UserError(f"{item.name} cannot be fetched by a program: find it from {item.url} and put it at {target}.")
    work = to / _DOWNLOADS / item.name
    try:
        got = _download(item, work)
        digest = sha256(got)
        if item.sha256 is not None and digest != item.sha256:
            got.unlink()
            raise UserError(f"{item.url} has the hash {digest} instead of {item.sha256}; it is not kept: try again.")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(got, target)
        _record(to, item, digest, target.stat().st_size)
        shutil.rmtree(work)
    except UserError:
        raise
    except Exception as error:  # httpx, the hub and the file system each have their own
        raise UserError(
            f"{item.name} could not be downloaded ({reason(error)}); download {item.url} where there is a network and "
            f"put it at {target} (licence: {LICENCES[item.licence].name})."
        ) from error
    return target


def _download(item: Known, work: Path) -> Path:
    """The file below `work`. torchvision and pytorch-fid put the first digits of the hash into the name."""
    if not item.link:
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(item.repo, item.file, local_dir=work))
    from torch.hub import download_url_to_file

    work.mkdir(parents=True, exist_ok=True)
    got = work / Path(item.place).name
    told = re.search(r"-([0-9a-f]{8})\.pth$", got.name)
    download_url_to_file(item.link, str(got), hash_prefix=told and told[1], progress=False)
    return got


def _record(to: Path, item: Known, digest: str, size: int) -> None:
    path = to / RECORD
    try:
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        kept = {}
    kept[item.place] = {"sha256": digest, "size": size, "source": item.url}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(part, path)
