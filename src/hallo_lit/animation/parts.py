"""What an interrupted video keeps: the latents of its finished clips, in a folder beside it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.media.files import cannot_write

JOB = "job.json"


class Parts:
    """`OUT.parts/` with one file per finished clip; decoding them again gives the very frames of the first attempt.

    job: everything that decides what the video looks like. A folder of another job is refused when resuming and
    replaced otherwise.
    """

    def __init__(self, out: Path, job: Mapping[str, Any], resume: bool) -> None:
        """
        Raises:
            UserError: the folder belongs to another job or is not one of ours, or cannot be written.
        """
        self.folder = out.with_name(out.name + ".parts")
        self.kept = self.folder.exists()
        text = json.dumps(job, indent=1, sort_keys=True, default=str)
        try:
            if self.kept and not (self.folder / JOB).is_file() and any(self.folder.iterdir()):
                raise UserError(f"{self.folder} is in the way: its files are none of ours; move it or change out=.")
            if resume and (self.folder / JOB).is_file():
                self._check(text)
                for half in self.folder.glob(".*.part"):  # a killed process could not clear up
                    half.unlink()
                return
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            (self.folder / JOB).write_text(text)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def _check(self, text: str) -> None:
        try:
            before, now = json.loads((self.folder / JOB).read_text()), json.loads(text)
        except (OSError, ValueError) as error:
            raise UserError(f"{self.folder} is damaged; delete it and run again without resume=true.") from error
        differing = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
        if differing:
            raise UserError(
                f"{self.folder} was begun with other settings ({', '.join(differing)}); give the same ones, "
                "or run without resume=true to start again."
            )

    @property
    def empty(self) -> bool:
        """Whether no clip is finished."""
        return not any(self.folder.glob("clip*.safetensors"))

    def finished(self, clip: int) -> Tensor | None:
        """Latents (f, c, h, w) of a finished clip, or None; a half-written file does not count."""
        try:
            return load_file(self._path(clip))["latents"]
        except (OSError, SafetensorError, KeyError):
            return None

    def keep(self, clip: int, latents: Tensor) -> None:
        """
        Raises:
            UserError: the disk is full.
        """
        path = self._path(clip)
        partial = path.with_suffix(".partial")
        try:
            save_file({"latents": latents.detach().cpu().contiguous()}, partial)
            os.replace(partial, path)
        except (OSError, SafetensorError) as error:
            reason = error if isinstance(error, OSError) else OSError(28, "no space left")
            raise cannot_write(self.folder, reason) from error

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, clip: int) -> Path:
        return self.folder / f"clip{clip:06d}.safetensors"


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def weights_digest(model: torch.nn.Module) -> str:
    """SHA-256 over every weight, for models that come from no file."""
    digest = sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()
