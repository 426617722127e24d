"""Weight files that the user brings: what to look for, safe reading, strict loading, and the hash to report."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from hallo_lit.errors import UserError

SHOWN = 3


@dataclass(frozen=True)
class WeightFile:
    """A file to bring: its usual name and who publishes it."""

    name: str
    publisher: str

    def doubt(self, digest: str) -> str | None:
        """What to say of a file with this SHA-256 if the published name ends in another one; None: nothing."""
        known = re.search(r"-([0-9a-f]{8,})\.", self.name)
        if known is None or digest.startswith(known[1]):
            return None
        return f"the weights are not {self.name} of {self.publisher} byte for byte: published values may not compare."

    def find(self, path: str | Path | None, setting: str) -> Path:
        """The file at `path`.

        Raises:
            UserError: no path, or nothing there; the sentence says which file to bring and where to name it.
        """
        bring = f"bring {self.name} ({self.publisher}) and set {setting} to its path"
        if path is None:
            raise UserError(f"No weights: {bring}.")
        found = Path(path).expanduser()
        if not found.is_file():
            raise UserError(f"{found} is not a file: {bring}.")
        return found


def sha256(path: Path) -> str:
    """Hash of a file's bytes, to print beside every number made with it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_torchscript(path: Path) -> bool:
    """Whether the file carries its own program instead of a table of tensors."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def read_state(path: Path, inside: str | None = None) -> dict[str, Tensor]:
    """Tensors by name from a safetensors file or a torch file; `inside` names the entry of a checkpoint to take.

    Raises:
        UserError: the file is damaged, is not a table of tensors, or would need to run code to be read.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise a dozen kinds for damaged files
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UserError(f"{path} cannot be read as weights ({reason}); fetch the file again.") from error
    if inside is not None and isinstance(content, Mapping) and inside in content:
        content = content[inside]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{path} holds no plain table of tensors; bring the state dict of the network.")
    return dict(content)


def load_strict(network: nn.Module, state: Mapping[str, Tensor], path: Path, ignored: Collection[str] = ()) -> None:
    """Fills every parameter and buffer of a network, which may be on the meta device, and sets it to evaluation mode.

    BatchNorm's `num_batches_tracked` may be absent; names that start with an entry of `ignored` are left out.

    Raises:
        UserError: a tensor is missing, unexpected, misshapen or not finite; the network is left as it was.
    """
    wanted = network.state_dict()
    given = {name: value for name, value in state.items() if not any(name.startswith(head) for head in ignored)}
    for name, value in wanted.items():
        if name.endswith("num_batches_tracked"):
            given.setdefault(name, torch.zeros_like(value, device="cpu"))
    wrong = [f"{name} is missing" for name in wanted if name not in given]
    wrong += [f"{name} is unexpected" for name in given if name not in wanted]
    wrong += [
        f"{name} is {tuple(given[name].shape)} instead of {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    wrong += [f"{name} is not finite" for name in wanted if name in given and not given[name].isfinite().all()]
    if wrong:
        shown = "; ".join(wrong[:SHOWN]) + (f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else "")
        raise UserError(f"{path} holds weights of another network than {type(network).__name__}: {shown}.")
    given = {name: value.to(wanted[name].dtype) for name, value in given.items()}
    network.load_state_dict(given, assign=any(value.is_meta for value in wanted.values()))
    network.requires_grad_(False).eval()
